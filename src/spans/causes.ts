/**
 * Every SDK and framework says the same 429 in its own words: `RateLimitError`, `AI_APICallError`, `_ResourceExhaustedError`, a
 * `RuntimeError` around any of them. So a cause is decided by class name, phrase or HTTP status, in one ordered table;
 * what no rule knows stays unknown. Wrappers (`APIError`, `PipelineRuntimeError`, `ChatClientException`) are in no rule: their text tells.
 */
import { Cause } from './names.ts'

/** Matches when the class name, the text or the status does. */
export interface CauseRule {
  /** Kept as evidence beside the error. */
  readonly id: string
  readonly cause: Cause
  /** The cause where the words are those of a tool's own HTTP client or of a tool runner. Without it: `cause`. */
  readonly ofTool?: Cause
  /** Matched against each class name: no module path, no leading underscores. */
  readonly type?: RegExp
  /** Matched against all texts, a line each. Every gap in a phrase is bounded, so the time is linear in the text. */
  readonly text?: RegExp
  /** HTTP status said in words, in `error.type` or (last) in an attribute: both ends included. */
  readonly status?: readonly [number, number]
  /** Words that make this rule not apply. */
  readonly unless?: RegExp
  /** A failure that this rule decides; the tests try each. */
  readonly example: string
}

function anyOf(...phrases: RegExp[]): RegExp {
  return new RegExp(phrases.map((phrase) => phrase.source).join('|'), 'im')
}

/** What step limits count. */
const counted = String.raw`(?:allowed )?(?:number of )?(?:agent |llm |model |tool |function )?(?:turns?|steps?|iterations?|calls?|rounds?|loops?|hops?)\b`

/** In order: the first rule that matches decides. */
export const CAUSE_RULES: readonly CauseRule[] = [
  // An end that somebody wanted.
  {
    id: 'guardrail',
    cause: Cause.stopped,
    type: /Guardrail\w*Trip|GuardrailViolation/,
    text: anyOf(/\bguardrails?\b.{0,60}?\b(?:trip(?:ped|wire)|checks? failed|blocked|intervened)/, /\btripwire\b.{0,20}?\btriggered/),
    example: 'Guardrail tripwire triggered: {"guardrail":"pii_check"}',
  },
  {
    id: 'cancelled',
    cause: Cause.stopped,
    type: /^(?:Cancell?ed(?:Error|Exception)?|AbortError|APIUserAbortError|GeneratorExit|ClientDisconnect|CANCELLED|\w*Interrupt)$/,
    status: [499, 499],
    text: anyOf(/\b(?:cancell?ed|aborted|interrupted) by (?:the )?(?:user|caller|client)/, /\buser aborted\b/, /\bclient disconnected\b/, /\bcontext canceled\b/, /\b(?:operation|request) was (?:aborted|cancell?ed)\b/),
    unless: /\btimed?[ -]?out|\bdeadline/i,
    example: 'APIUserAbortError: Request was aborted.',
  },

  // Before the HTTP statuses, because it is a 400 or a 413 among others.
  {
    id: 'context-overflow',
    cause: Cause.overflow,
    type: /Context(?:Window|Length|Size)\w*(?:Exceed|Overflow)|^(?:context_length_exceeded|exceed_context_size_error|request_too_large)$/,
    text: anyOf(
      /context_length_exceeded|maximum context length|request_too_large/, // OpenAI, vLLM; Anthropic
      /\breduce the length of (?:the|your) (?:messages|prompt|input)/, // OpenAI, Groq
      /\b(?:exceed(?:s|ed|ing)?|less than|longer than|larger than) (?:the )?(?:model's )?(?:available |maximum )?context (?:window|length|limit|size)/, // OpenAI Responses, Anthropic, Together, llama.cpp
      /\bcontext (?:window|length) (?:was |is )?exceeded/, // CrewAI
      /\b(?:prompt|input) is too long\b/, // Anthropic, Bedrock
      /\bexceeds the maximum number of tokens allowed/, // Gemini
      /\bmust (?:have|be) (?:less|fewer|at most|<=|<)(?: than)? \d{1,9} tokens\b|\bmax_new_tokens\W{1,3}must be <=/, // Hugging Face
      /\btoo many (?:input|prompt) tokens\b|\btoo many tokens: /, // Bedrock, Cohere
      /\btoo large for model with\b|\blonger than the maximum model length/, // Mistral, vLLM
    ),
    unless: /\bmax[ _]tokens must be\b/i, // an answer longer than the model gives, not a question longer than it takes
    example: "Error code: 400 - This model's maximum context length is 128000 tokens. However, your messages resulted in 131542 tokens",
  },

  // The provider's limits. Quota and billing are among them: waiting or another account helps, another prompt does not.
  // A 429 in a raw HTTP client's words may still be a model's: the step's kind decides.
  { id: 'http-429', cause: Cause.rateLimit, status: [429, 429], example: 'ModelRateLimitError: status_code: 429, model_name: gpt-4o-mini, body: {}' },
  { id: 'http-402', cause: Cause.rateLimit, ofTool: Cause.toolClientError, status: [402, 402], example: 'Error code: 402 - Insufficient credits' },
  {
    id: 'rate-limit',
    cause: Cause.rateLimit,
    ofTool: Cause.toolClientError,
    type: /[Rr]ate_?[Ll]imit|[Tt]hrottl|TooManyRequests|ResourceExhausted|QuotaExceeded|UsageLimitReached|ResourceLimitExceeded|^(?:RESOURCE_EXHAUSTED|rate_limit_\w+|insufficient_quota|billing_error|LimitExceededException)$/,
    text: anyOf(
      /\brate[ _-]?limit(?:s|ed)?(?:_| (?:was |is )?)(?:reached|exceeded|hit|error)|\brate[ -]limited\b|\bratelimit(?:ed)?\b/,
      /\b(?:requests?|tokens|calls) (?:per|a|\/) ?(?:second|min(?:ute)?|hour|day|month)\b|\bper[ -](?:second|minute|day) (?:\w{1,20} )?limit\b/,
      /\b(?:calls|requests|tokens) ?\/ ?min(?:ute)?\b|\b(?:spend(?:ing)?|usage|billing|budget|credit|plan) (?:hard |soft )?(?:limit|cap)s? (?:\w{1,20} )?(?:reached|exceeded|hit)\b/,
      /\bbudget (?:is )?(?:exhausted|exceeded)\b|\b(?:maximum|monthly|daily)[\w ]{0,30}? spend(?:ing)? limit\b|\b(?:out of|insufficient|not enough|no remaining) (?:credits?|balance|funds|searches)\b/,
      /\bexceed(?:s|ed)? (?:your |the )?(?:\w{1,30} ){0,2}rate[ _-]limits?\b/,
      /\bRESOURCE_EXHAUSTED\b|\bThrottlingException\b|\binsufficient_quota\b|\bbilling_hard_limit_reached\b/,
      /\bquota (?:was |has been )?exceeded|\bexceeded your current quota/,
      /\btoo many requests\b|\btoo many tokens, please wait\b|\bcredit balance is too low\b|\b(?:system|service|server) is experiencing high (?:demand|load|traffic)\b/,
    ),
    unless: /message larger than max|must be a positive/i, // gRPC says RESOURCE_EXHAUSTED for this too
    example: 'Rate limit reached for gpt-4o-mini in organization org-acme on tokens per min (TPM): Limit 200000, Used 199000',
  },

  // The run went round in circles until something counted.
  {
    id: 'step-limit',
    cause: Cause.loop,
    type: /^(?:GraphRecursionError|\w*RecursionLimit\w*|\w{0,40}Max(?:imum)?(?:Turns|Steps|Iterations|Rounds|Loops|ToolCalls|\w{0,20}Runs)\w*|\w*(?:Stuck|Infinite|Endless)\w{0,20}Loop\w*|UsageLimitExceeded|LlmCallsLimitExceededError)$/,
    text: anyOf(
      new RegExp(String.raw`\bmax(?:imum)?[ _]${counted}.{0,60}?\b(?:exceeded|reached|hit)\b`),
      new RegExp(String.raw`\b(?:exceed(?:s|ed)?|reached|hit|due to)\b.{0,30}?\bmax(?:imum)?[ _]${counted}`),
      /\b(?:recursion|iteration|step|turn)[ _]limit(?: of \d{1,9})? (?:was )?(?:reached|exceeded)|\bGRAPH_RECURSION_LIMIT\b/,
      /\bstopped due to (?:an? )?(?:iteration|step) limit/,
      /\b(?:got |is |are |be )?stuck (?:in (?:a |an )?(?:\w{1,20} )?loop|calling|repeating)\b|\b(?:infinite|endless) loop (?:was )?detected\b|\bdeadlock(?:ed)? (?:was )?detected\b/,
      /\bexceed(?:s|ed)? the (?:request|tool_calls|total_tokens|input_tokens|output_tokens)_limit/,
      /\bvalidation errors? for TaskOutput\b/, // CrewAI: out of steps, it hands on a tool call where the answer should be
    ),
    example: 'WorkflowRuntimeError: Max iterations of 4 reached! Either something went wrong, or you can increase the limit',
  },

  // HTTP statuses, and what they mean where the name of the model is wrong.
  {
    id: 'model-not-found',
    cause: Cause.unavailable,
    text: anyOf(
      /\bmodel_not_(?:found|available)\b|\bDeploymentNotFound\b|\bnot_found_error\b.{0,60}?\bmodel:|\bendpoint_not_running\b/,
      /\b(?:the model |model (?=[`'"]))[`'"]?[\w.:\/-]{1,100}[`'"]? (?:does not exist|(?:was |is )?not (?:found|available)|has been deprecated)/,
      /\bmodels\/[\w.-]{1,100} is not found\b|\byour model is not found\b|\btry pulling it first\b/,
      /\bmodel (?:identifier|id|name) is (?:invalid|unknown|not valid)\b|\b(?:invalid|unknown|unsupported) model (?:identifier|id|name)\b/,
      /\b(?:deployment|dedicated endpoint)\b.{0,120}?\b(?:does not exist|is not running|not found)\b/,
      /\bno (?:endpoints?|providers?|deployments?) (?:\w{1,20} )?(?:found|available)\b|\bmodel \S{1,120} is (?:currently |still )?loading\b/,
      /\bon-demand throughput isn.t supported\b|\bdoesn.t support on-demand throughput\b|\bunable to access non-serverless model\b/,
    ),
    example: "NotFoundError: Error code: 404 - {'error': {'message': 'The model `gpt-9` does not exist', 'code': None}}",
  },
  {
    id: 'refused',
    cause: Cause.refused,
    ofTool: Cause.toolClientError,
    type: /^(?:Authentication(?:Error|Exception)|authentication_error|permission_error|UnrecognizedClientException|UNAUTHENTICATED|Unauthorized\w*|Forbidden\w*|(?:Permission|Access)Denied(?:Error|Exception)?|PERMISSION_DENIED|NotAuthorized\w*|IncompleteSignature|InvalidSignature\w*|ExpiredToken\w*|InvalidApiKey\w*)$/,
    text: anyOf(
      /\b(?:incorrect|invalid|missing|expired|no valid|wrong) (?:an? |or |missing |valid ){0,2}(?:api|access|auth)[ _-]?(?:key|token)\b|\bapi[ _-]?key (?:is )?(?:not valid|invalid|expired|missing)\b|\binvalid_api_key\b/,
      /\b(?:account|user|caller|key) (?:is )?not (?:authori[sz]ed|permitted|allowed) to\b|\b(?:don.t|do not|does not) have (?:access|permission)\b|\binsufficient permissions?\b/,
      /\b(?:user )?location is not supported\b|\bcountry, region, or territory not supported\b|\bnot authori[sz]ed to (?:perform|invoke|access|call)\b|\buse case details have not been submitted\b/,
      /\bmust be a member of an organization\b|\boperation not allowed\b/,
    ),
    status: [401, 401],
    example: 'AuthenticationError: Error code: 401 - Incorrect API key provided',
  },
  { id: 'http-403', cause: Cause.refused, ofTool: Cause.toolClientError, status: [403, 403], example: 'Error code: 403 - Blocked' },
  {
    id: 'deadline',
    cause: Cause.timeout,
    ofTool: Cause.toolTimeout,
    type: /deadline_?exceeded/i,
    text: /\bdeadline[ _](?:was )?(?:exceeded|expired)\b/im, // gRPC's is HTTP's 504
    example: '504 Deadline Exceeded',
  },
  {
    id: 'http-404',
    cause: Cause.missing,
    ofTool: Cause.toolClientError,
    type: /^(?:not_found_error|NOT_FOUND|ResourceNotFoundException)$/,
    status: [404, 404],
    example: 'NotFoundError: Error code: 404 - Not Found',
  },
  { id: 'http-408', cause: Cause.timeout, ofTool: Cause.toolTimeout, status: [408, 408], example: 'Error code: 408 - Request Timeout' },
  { id: 'http-4xx', cause: Cause.clientError, ofTool: Cause.toolClientError, status: [400, 499], example: "Client error '409 Conflict' for url 'https://orders.example/1042'" },
  { id: 'http-5xx', cause: Cause.unavailable, ofTool: Cause.toolUnavailable, status: [500, 599], example: 'InternalServerError: Error code: 503 - The server is currently overloaded' },

  // What the model wrote cannot be used. Before malformed: the words of a JSON error are often inside.
  {
    id: 'tool-call-invalid',
    cause: Cause.validation,
    type: /^(?:AI_)?(?:NoSuchTool|UnknownTool|ToolNotFound|ToolArgument|InvalidTool(?:Arguments|Input|Call)|ToolCallRepair)\w*$/,
    text: anyOf(
      /\binvalid JSON (?:input|arguments?) for (?:tool|function)\b|\btool call validation failed/,
      /\bpars(?:e|ing) (?:the )?(?:tool|function)[ _](?:call )?arg(?:ument)?s/,
      /\binvalid (?:tool|function)[ _](?:call )?(?:arg(?:ument)?s|input|parameters)/,
      /\b(?:unknown|unavailable|no such) (?:tool|function)\b|\bno (?:tool|function) (?:named|called)\b|\btool[ _]not[ _]found\b/,
      /\b(?:tool|function) (?:with name |named )?['"`]?[\w.-]{1,80}['"`]? (?:(?:is|was) )?(?:not (?:found|registered|available|a valid tool)|does not exist)/,
      /\bis not a valid tool\b|\b(?:tool|function|agent) {1,2}(?:\S{1,80} {0,2}(?:\/> )?)?(?:is )?not found(?: in (?:the )?(?:agent|tool)|\.?$)|\bfailed to call a function\b/,
      /\b(?:arguments?|input) (?:for|to|of) (?:the )?(?:tool|function)\b.{0,60}?\b(?:invalid|not (?:a )?valid)|\btool call\b.{0,80}?\barguments are not\b/,
      // A call that does not fit the signature of the function behind the tool.
      /\bmissing \d{1,3} required (?:positional|keyword-only) arguments?\b|\bgot an unexpected keyword argument\b|\btoo many arguments to\b/,
      /\bexpected \w{1,20}, received \w{1,20}\b/,
    ),
    example: "Tool not found: {'tool_name': 'cancel_ordr'}",
  },
  {
    id: 'output-invalid',
    cause: Cause.validation,
    type: /^(?!\w{0,20}(?:J(?:SON|son)|Credential))(?:\w*ValidationError|ZodError|AI_NoObjectGeneratedError|\w*OutputPars(?:er|ing)\w*|\w*StructuredOutput\w*|ConverterError|\w*OutputFormat\w*|Incomplete(?:Output|ToolCall)\w*|MaxTokens\w*|\w*(?:DidNotFinish|ParseError|ParsingError)\w*|ModelBehaviorError|UnexpectedModelBehavior|(?:Length|ContentFilter)FinishReasonError)$/,
    text: anyOf(
      /\b\d{1,6} validation errors? for\b|\btype validation failed\b|\bOUTPUT_PARSING_FAILURE\b/,
      /\bno object generated\b|\bexceeded maximum (?:output |tool )?retries\b|\binvalid JSON provided\b/,
      /\bfailed to (?:parse|convert|validate) (?:the )?(?:LM |LLM |model )?(?:text|output|response|structured|final|completion)/,
      /\b(?:could not|cannot|unable to|failed to) parse (?:the )?(?:\w{1,20} ){0,2}(?:response|output|completion|answer|reply|text)\b|\b(?:output|code|response|answer|llm) parsing (?:error|failed|failure)|\berror (?:in|while) (?:\w{1,20} ){0,3}parsing\b|\bparsing attempt\b.{0,20}?\bfailed\b/,
      /\b(?:LLM|LM|model) (?:did not return|did not produce|(?:has )?returned (?:an? )?(?:empty|null|invalid|malformed|no))\b|\bempty (?:or null |or invalid )?(?:response|completion|output) from\b|\b(?:content )?field missing from \w{1,30} response\b/,
      /\bgeneration (?:was|is) not completed?\b|\boutput is incomplete\b|\blength limit was reached\b|\bplain text responses are not permitted\b|\binvalid format: missing\b|\binvalid (?:model |llm )?(?:output|response) format\b|\bexceeded maximum retries\b/,
      /\b(?:does|did) not match (?:the )?(?:expected |output |response )?schema\b/,
    ),
    example: 'UnexpectedModelBehavior: Exceeded maximum output retries (1)',
  },
  {
    id: 'json-invalid',
    cause: Cause.malformed,
    ofTool: Cause.toolMalformed,
    type: /JSONDecodeError$|^(?:AI_)?JSON_?Pars\w*$|^Json(?:Reader|Mapping|Syntax)?Exception$|^(?:ContentType|Decoding)Error$/i,
    text: anyOf(
      /\bunterminated string\b|\bEOF while parsing\b|\bextra data: line\b|\blooking for beginning of value\b/,
      /\bunexpected (?:mimetype|content[ -]type)\b|\bis an invalid start of a value\b|\bexpected a valid value\b|\bunexpected character\b.{0,40}?\b(?:code \d|while parsing)/,
      /\bexpecting (?:value|property name|['"][,:]['"] delimiter)/,
      /\bunexpected (?:end of|token|non-whitespace character|character)\b.{0,120}?\bJSON\b|\bin JSON at position\b/,
      /\binvalid JSON(?: response| body| data|:)|\bis not valid JSON\b|\bJSON parsing failed\b|\bresponse as JSON\b/,
      /\b(?:parse|decode|deserialize) (?:\w{1,30} ){0,3}JSON\b|\bmalformed (?:JSON|response|body)\b/,
    ),
    example: 'SyntaxError: Unterminated string in JSON at position 37',
  },

  // Time ran out. The SDKs of models have classes of their own for it; a raw HTTP client is a tool's.
  {
    id: 'model-timeout',
    cause: Cause.modelTimeout,
    ofTool: Cause.toolTimeout,
    type: /^(?:API|OpenAI|Anthropic|LLM|Model|Inference)\w*Time(?:dO|o)ut\w*$|^client_timeout_error$/,
    text: /\brequest timed out(?:\.(?:\W|$)| or interrupted)/im,
    example: 'APITimeoutError: Request timed out.',
  },
  { id: 'client-timeout', cause: Cause.toolTimeout, type: /^(?:Read|Connect|Write|Pool)Timeout$/, example: 'httpx.ReadTimeout: timed out' },
  {
    id: 'timeout',
    cause: Cause.timeout,
    ofTool: Cause.toolTimeout,
    type: /time_?d?_?out|deadline_?exceeded/i,
    text: anyOf(
      /(?:\b|_)timed[ _-]?out\b|\bE(?:SOCKET)?TIMEDOUT\b|(?:^|: )timeout\.?$/,
      /\btime[ -]?out (?:of|after|exceeded|error|expired|while|waiting|reached)\b/,
      /\b(?:read|connect|connection|request|response|operation|gateway|socket|navigation|headers?|body|i\/o|due to) time[ -]?out\b|\btimeout \d{1,9} ?m?s exceeded\b/,
    ),
    example: 'TimeoutError: The operation was aborted due to timeout',
  },

  // Nobody there, or there and overloaded.
  { id: 'connect-failed', cause: Cause.toolUnavailable, type: /^(?:ConnectError|MaxRetryError|NewConnectionError|ProxyError|Client\w*ConnectorError)$/, example: 'httpx.ConnectError: All connection attempts failed' },
  {
    id: 'unavailable',
    cause: Cause.unavailable,
    ofTool: Cause.toolUnavailable,
    type: /^(?:\w*Connection(?:Error|Refused|Reset|Aborted)\w*|\w*Disconnected\w*|SSL\w*(?:Error|Exception)|SocketException|ClosedResourceError|FetchError|RemoteProtocolError|ReadError|WriteError|IncompleteRead|ChunkedEncodingError|\w*ServiceUnavailable\w*|\w*InternalServer(?:Error|Exception)|\w*Overloaded\w*|(?:api|overloaded|server)_error|ServerError|Model(?:Error|NotReady|StreamError)(?:Exception)?|UNAVAILABLE|INTERNAL|InternalFailure|\w*BadGateway\w*)$/,
    text: anyOf(
      /\bconnection (?:error|refused|reset|aborted|closed|lost|gone|terminated)\b|\bclosed the connection\b|\b(?:failed|unable) to connect\b|\b(?:cannot|can't|could not) connect to\b|\bconnection attempts failed\b/,
      /\b(?:network is|host is|host|network) unreachable\b|\bno (?:route to|such) host\b|\bfailed to establish a new connection\b|\bmax retries exceeded with\b|\bcannot assign requested address\b|\btransport is closing\b|\bsession terminated\b|\bsent GOAWAY\b/,
      /\bE(?:CONNREFUSED|CONNRESET|CONNABORTED|NOTFOUND|PIPE|HOSTUNREACH|NETUNREACH)\b|\bEAI_AGAIN\b|\bgetaddrinfo\b|\bname or service not known\b/,
      /\bsocket (?:hang up|closed)\b|\bcode = Unavailable\b|\b(?:web )?server is (?:returning|down|not responding)\b|\brequest failed and the interceptors\b|\bfetch failed\b|\bpeer closed connection\b|\bserver disconnected\b|\bincomplete chunked read\b|\bpremature close\b|^terminated$/,
      /\b(?:service|server|backend) (?:is )?(?:temporarily |currently )?unavailable\b|\b(?:engine|server|model) (?:is )?(?:currently |temporarily )?overloaded\b|\binternal server error\b|\bbad gateway\b|\bServiceUnavailableException\b|\b(?:StatusCode\.|14 )UNAVAILABLE\b/,
      /\b(?:is|currently|temporarily) overloaded\b|\boverloaded_error\b|\bserver had an error\b/,
      /\bfailed to process successful response\b/, // Vercel's AI SDK, when the body breaks off
    ),
    example: 'APIConnectionError: Connection error.',
  },

  // A request that was refused as it stood.
  {
    id: 'request-invalid',
    cause: Cause.clientError,
    ofTool: Cause.toolClientError,
    type: /^(?:\w*BadRequest\w*|\w*InvalidDimension\w*|Conflict(?:Error|Exception)|conflict_error|\w*InvalidRequest\w*|UnprocessableEntity\w*|invalid_request_error|ValidationException|\w*ContentPolicy\w*|INVALID_ARGUMENT|Invalid(?:Parameter|Argument)\w*)$/,
    text: anyOf(
      /\binvalid_request_error\b|\bINVALID_ARGUMENT\b|\bcontent management policy\b|\binvalid_?(?:request|parameter)\b|\binvalid (?:request|params|parameters?|request parameters)\b|\bbad request\b|\bINVALID_CHAT_HISTORY\b/,
      /\b(?:missing|unsupported|unknown) (?:required )?(?:request )?(?:parameter|field|property)\b|\b(?:input|value) should be\b|\bfield required\b|\b(?:extra )?inputs? (?:is|are) not permitted\b|\bnot supported with this model\b|\btoo many inputs\b/,
      /\bmust (?:not be empty|be at least|be less than|be a response to|be followed by|be the first|have (?:a |an |either |the )?(?:corresponding|content|message))\b|\bminimum allowed\b|\bmaximum allowed\b|\bwithout a? ?(?:corresponding|matching)\b|\bdo not have a corresponding\b/,
      // What an index or a database was asked for and does not have, or was given and cannot take.
      /\bdimension(?:s|ality)?\b.{0,60}?\b(?:do(?:es)? ?n[o']t match|mismatch)|\bexpected \d{1,6} dimensions, not \d|\bdifferent vector dimensions\b|\bvector lengths don.t match\b/,
      /\b(?:collection|index|class|table|namespace|tenant)\b.{0,80}?\b(?:not found|does ?n[o']t exist|already exists|not present)|\b(?:can't find|no such|unknown) (?:collection|index|class|table|column|namespace)\b|\bindex_not_found_exception\b|\bviolates (?:foreign key|unique|check|not-null)\b|\bduplicate key\b|\bmethod not found\b/,
    ),
    example: 'An error occurred (ValidationException) when calling the Converse operation: messages must alternate',
  },
  {
    // No SDK says this; an application that checks the age of its index can.
    id: 'stale-data',
    cause: Cause.staleData,
    type: /^Stale(?:Data|Index|Context|Cache)\w*$/,
    text: anyOf(/\bstale (?:data|index|documents?|embeddings?|cache|snapshot)\b/, /\b(?:index|data|cache|snapshot) is (?:stale|outdated|out of date)\b/),
    example: 'RuntimeError: the index is out of date: built 41 days ago',
  },
]
