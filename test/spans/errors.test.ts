import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CAUSE_RULES, causeOf, type FailureText } from '../../src/spans/errors.ts'
import { Cause, ERROR_TYPES, Kind, errorType } from '../../src/spans/names.ts'

/** Failed spans of recorded agent runs: their words, what kind of step told them, and what really went wrong, seen from outside. */
type Recorded = Partial<FailureText> & { step: keyof typeof Kind; expected: string; recorded: string }
const recorded = JSON.parse(readFileSync(new URL('failures.json', import.meta.url), 'utf8')) as Recorded[]

const NOTHING: FailureText = { statusMessage: '', errorType: '', errorMessage: '', exceptionType: '', exceptionMessage: '', httpStatus: 0 }
const failure = (words: Partial<FailureText>): FailureText => ({ ...NOTHING, ...words })
const message = (statusMessage: string): FailureText => failure({ statusMessage })
const exception = (exceptionType: string, exceptionMessage: string): FailureText => failure({ exceptionType, exceptionMessage })

function classified(words: FailureText, step: keyof typeof Kind): string {
  const error = ERROR_TYPES[errorType(causeOf(words).cause, Kind[step])]!
  return error.class === error.type ? error.class : `${error.class}.${error.type}`
}

/** What the words alone cannot tell, and what is then said. */
function tellable(row: Recorded): string {
  if (row.expected === '') return 'unclassified' // a guardrail, an import that failed at start-up: nobody's fault of the taxonomy
  if (row.errorMessage?.includes('details are redacted') === true) return 'unclassified'
  // A JSON error is the model's or a tool's: only the deepest span knows, and here an ancestor repeats it.
  if (row.expected === 'tool.malformed_response' && row.step !== 'tool') return 'model.validation_failed'
  return row.expected
}

describe('causeOf', () => {
  it('classifies the recorded failures', () => {
    const wrong = recorded
      .map((row) => ({ row, is: classified(failure(row), row.step), rule: causeOf(failure(row)).rule, should: tellable(row) }))
      .filter(({ is, should }) => is !== should)
      .map(({ row, is, rule, should }) => `${row.recorded} (${row.step}): ${is} by ${rule}, not ${should}: ${JSON.stringify(row).slice(0, 200)}`)
    expect(wrong).toEqual([])
    expect(recorded.length).toBeGreaterThan(200)
  })

  it('still classifies them when the text is all there is', () => {
    const wrong = recorded.filter((row) => {
      const { exceptionType: _, errorType: __, httpStatus: ___, ...text } = row
      const words = failure(text)
      const sayable = `${words.statusMessage}${words.errorMessage}${words.exceptionMessage}`.length > 0 && !/^timed out$/.test(words.statusMessage || words.exceptionMessage)
      return sayable && classified(words, row.step) !== tellable(row)
    })
    expect(wrong.map((row) => `${row.recorded}: ${row.exceptionType} ${row.statusMessage}`)).toEqual([])
  })

  it('decides every rule’s example by that rule', () => {
    expect(CAUSE_RULES.map((rule) => [rule.id, causeOf(message(rule.example)).rule])).toEqual(CAUSE_RULES.map((rule) => [rule.id, rule.id]))
    expect(new Set(CAUSE_RULES.map((rule) => rule.id)).size).toBe(CAUSE_RULES.length)
  })
})

describe('the words of other SDKs', () => {
  it.each<[string, keyof typeof Kind, FailureText]>([
    // Providers
    ['model.rate_limit', 'model', failure({ errorType: 'rate_limit_error' })],
    ['model.rate_limit', 'model', failure({ errorType: '429' })],
    ['model.rate_limit', 'model', failure({ httpStatus: 429 })],
    ['model.rate_limit', 'model', failure({ errorType: 'ThrottlingException' })],
    ['model.rate_limit', 'model', exception('botocore.errorfactory.ThrottlingException', 'An error occurred (ThrottlingException) when calling the ConverseStream operation: Too many tokens, please wait before trying again.')],
    ['model.rate_limit', 'model', exception('ModelThrottledException', 'slow down')],
    ['model.rate_limit', 'agent', exception('google.adk.models.google_llm._ResourceExhaustedError', '')],
    ['model.rate_limit', 'model', message("PipelineRuntimeError: The following component failed to run:\nComponent name: 'chat'\nComponent type: 'OpenAIChatGenerator'\nError: Error code: 429 - {'error': {'message': 'slow down'}}")],
    ['model.rate_limit', 'model', message('ChatClientException("<class \'agent_framework_openai._chat_client.OpenAIChatClient\'> service failed to complete the prompt: Error code: 429 - too much")')],
    ['model.rate_limit', 'agent', failure({ errorType: "<class 'semantic_kernel.exceptions.RateLimitError'>" })],
    ['model.rate_limit', 'model', message("Error code: 429 - {'error': {'message': 'You exceeded your current quota, please check your plan', 'code': 'insufficient_quota'}}")],
    ['model.rate_limit', 'model', message('Error code: 400 - Your credit balance is too low to access the Anthropic API.')],
    ['model.rate_limit', 'model', message('429 Too Many Requests')],
    ['model.rate_limit', 'model', message('AI_RetryError: Failed after 3 attempts. Last error: Rate limit reached for gpt-4o')],
    ['tool.4xx', 'tool', message("Client error '429 Too Many Requests' for url 'https://orders.example/1'")],
    ['model.model_unavailable', 'model', failure({ errorType: 'api_error' })],
    ['model.model_unavailable', 'model', failure({ errorType: 'overloaded_error' })],
    ['model.model_unavailable', 'model', failure({ errorType: '503' })],
    ['model.model_unavailable', 'model', failure({ httpStatus: 529 })],
    ['model.model_unavailable', 'model', exception('botocore.errorfactory.ServiceUnavailableException', '')],
    ['model.model_unavailable', 'agent', message("ServerError: 503 UNAVAILABLE. {'error': {'code': 503, 'message': 'try later', 'status': 'UNAVAILABLE'}}")],
    ['model.model_unavailable', 'model', message('14 UNAVAILABLE: No connection established')],
    ['model.model_unavailable', 'model', message("OpenAIConnectionError('Connection error.')Traceback (most recent call last):\n\n\n  File \"/app/x.py\", line 1, in y\n")],
    ['model.model_unavailable', 'model', exception('AI_APICallError', 'Failed to process successful response')],
    ['model.model_unavailable', 'agent', exception('httpx.RemoteProtocolError', 'peer closed connection without sending complete message body (incomplete chunked read)')],
    ['model.model_unavailable', 'model', message('connect ECONNREFUSED 127.0.0.1:11434')],
    ['model.model_unavailable', 'model', message('TypeError: fetch failed')],
    ['model.model_unavailable', 'model', message("NotFoundError: Error code: 404 - {'error': {'code': 'DeploymentNotFound'}}")],
    ['model.model_unavailable', 'agent', message("Server error '503 Service Unavailable' for url 'https://api.mistral.ai/v1/chat/completions'")],
    ['coordination.timeout_inference', 'model', failure({ errorType: 'client_timeout_error' })],
    ['coordination.timeout_inference', 'model', failure({ errorType: 'timeout' })],
    ['coordination.timeout_inference', 'model', failure({ errorType: 'Timeout', httpStatus: 408, errorMessage: 'litellm.Timeout: APITimeoutError - Request timed out. \nerror_str: Request timed out.' })],
    ['coordination.timeout_inference', 'model', exception('anthropic.APITimeoutError', 'Request timed out or interrupted. This could be due to a network timeout, dropped connection, or request cancellation.')],
    ['coordination.timeout_inference', 'model', exception('botocore.exceptions.ReadTimeoutError', 'Read timeout on endpoint URL: "https://bedrock.example/model/x/converse"')],
    ['coordination.timeout_inference', 'model', exception('botocore.errorfactory.ModelTimeoutException', '')],
    ['coordination.timeout_inference', 'model', message('4 DEADLINE_EXCEEDED: Deadline exceeded after 5s')],
    ['coordination.timeout_inference', 'agent', exception('agno.exceptions.ModelProviderError', 'Request timed out.')],
    ['coordination.timeout_inference', 'agent', exception('ConnectionError', 'Failed to connect to OpenAI API: Request timed out.')],
    ['model.validation_failed', 'model', message("Error code: 400 - {'error': {'message': \"Invalid value: 'tool'\", 'type': 'invalid_request_error'}}")],
    ['unclassified', 'model', message("AuthenticationError: Error code: 401 - {'error': {'message': 'Incorrect API key provided'}}")],
    ['unclassified', 'model', failure({ httpStatus: 403 })],
    // Contexts
    ...[
      'litellm.ContextWindowExceededError: litellm.BadRequestError: This model’s limit',
      "Error code: 400 - {'type': 'error', 'error': {'type': 'invalid_request_error', 'message': 'prompt is too long: 210104 tokens > 200000 maximum'}}",
      '400 INVALID_ARGUMENT. The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
      'An error occurred (ValidationException) when calling the Converse operation: Input is too long for requested model.',
      'Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
      'The decoder prompt (length 5000) is longer than the maximum model length of 4096.',
      'Your input exceeds the context window of this model. Please adjust your input and try again.',
      'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000',
      'run failed: ContextWindowOverflowException("Input is too long")',
    ].map((text): [string, keyof typeof Kind, FailureText] => ['context.context_overflow', 'model', message(text)]),
    // Limits
    ['coordination.deadlock', 'agent', message("{'message': 'Max turns exceeded', 'data': {'max_turns': 4}}")],
    ['coordination.deadlock', 'agent', failure({ errorType: 'Max turns exceeded' })],
    ['coordination.deadlock', 'agent', message('LlmCallsLimitExceededError: Max number of llm calls limit of `4` exceeded')],
    ['coordination.deadlock', 'chain', message("GraphRecursionError('Recursion limit of 9 reached without hitting a stop condition.')Traceback (most recent call last):\n")],
    ['coordination.deadlock', 'agent', message('ValidationError: 1 validation error for TaskOutput\nraw\n  Input should be a valid string')],
    ['coordination.deadlock', 'agent', message('Agent stopped due to max iterations.')],
    // What the model wrote
    ['model.validation_failed', 'tool', message("Error running tool (non-fatal): {'tool_name': 'lookup_order', 'error': 'Invalid JSON input for tool lookup_order: {\"order_id\": \"1042'}")],
    ['model.validation_failed', 'tool', message("Error running tool (non-fatal): {'tool_name': 'lookup_order', 'error': 'An error occurred while parsing tool arguments. Please try again with valid JSON. Error: Unterminated string'}")],
    ['model.validation_failed', 'tool', exception('smolagents.utils.AgentToolExecutionError', 'Unknown tool cancel_ordr, should be one of: lookup_order, final_answer.')],
    ['model.validation_failed', 'tool', message('Unknown tool: cancel_ordr')],
    ['model.validation_failed', 'chain', exception('ValueError', 'Tool with name cancel_ordr not found')],
    ['model.validation_failed', 'agent', exception('ValueError', 'Function cancel_ordr is not found in the tools_dict.')],
    ['model.validation_failed', 'model', message('AdapterParseError: Adapter JSONAdapter failed to parse the LM response.')],
    ['model.validation_failed', 'agent', exception('AI_NoSuchToolError', "Model tried to call unavailable tool 'cancel_ordr'.")],
    ['model.validation_failed', 'tool', exception('AI_InvalidToolInputError', 'Invalid input for tool lookup_order: JSON parsing failed')],
    ['model.validation_failed', 'chain', message('Invalid JSON provided: {}')],
    ['model.validation_failed', 'agent', failure({ errorMessage: '{"message":"Invalid JSON provided","data":{}}' })],
    ['model.validation_failed', 'model', message("JSONDecodeError('Unterminated string starting at: line 1 column 51 (char 50)')Traceback (most recent call last):\n")],
    ['model.validation_failed', 'model', exception('pydantic_ai.exceptions.ModelAPIError', 'Failed to decode response as JSON: Unterminated string starting at: line 1')],
    ['model.validation_failed', 'model', exception('AI_APICallError', 'Invalid JSON response')],
    // Tools
    ['tool.5xx', 'tool', message("Error running tool (non-fatal): {'tool_name': 'lookup_order', 'error': \"Server error '503 Service Unavailable' for url 'http://orders.example/1042'\"}")],
    ['tool.5xx', 'agent', failure({ errorMessage: `{"message":"Error running tool (non-fatal)","data":{"tool_name":"lookup_order","error":"Server error '503 Service Unavailable' for url"}}` })],
    ['tool.5xx', 'tool', exception('smolagents.utils.AgentToolExecutionError', "Error executing tool 'lookup_order' with arguments {'order_id': '1042'}: HTTPStatusError: Server error '503 Service Unavailable' for url")],
    ['tool.5xx', 'agent', exception('requests.exceptions.HTTPError', '503 Server Error: Service Unavailable for url: https://orders.example/1042')],
    ['tool.5xx', 'client', failure({ httpStatus: 502 })],
    ['tool.5xx', 'agent', exception('httpx.ConnectError', 'All connection attempts failed')],
    ['tool.4xx', 'agent', exception('aiohttp.client_exceptions.ClientResponseError', "404, message='Not Found', url='https://orders.example/1042'")],
    ['tool.4xx', 'tool', message("Client error '401 Unauthorized' for url 'https://orders.example/1042'")],
    ['tool.4xx', 'tool', message('urllib.error.HTTPError: HTTP Error 403: Forbidden')],
    ['tool.timeout', 'tool', message("Error running tool (non-fatal): {'tool_name': 'lookup_order', 'error': 'timed out'}")],
    ['tool.timeout', 'agent', message("Error running tool (non-fatal): {'tool_name': 'lookup_order', 'error': 'timed out'}")],
    ['tool.timeout', 'agent', message("ReadTimeout('timed out')Traceback (most recent call last):\n  File \"/app/x.py\", line 3\n")],
    ['tool.timeout', 'tool', exception('McpError', 'MCP error -32001: Request timed out')],
    ['tool.timeout', 'tool', message('timeout of 5000ms exceeded')],
    ['tool.malformed_response', 'agent', message("Error running tool (non-fatal): {'tool_name': 'lookup_order', 'error': 'Unterminated string starting at: line 1 column 32 (char 31)'}")],
    ['tool.malformed_response', 'tool', message('Unterminated string in JSON at position 37 (line 1 column 38)')],
    ['tool.malformed_response', 'tool', message(`Unexpected token '<', "<!DOCTYPE "... is not valid JSON`)],
    ['tool.malformed_response', 'tool', exception('json.decoder.JSONDecodeError', '')],
    ['context.stale_data', 'retrieval', exception('StaleIndexError', 'built 41 days ago')],
    // Only the traceback tells
    ['tool.timeout', 'agent', message('unhandled errors in a TaskGroup (1 sub-exception)\n  + Exception Group Traceback (most recent call last):\n  |   File "/app/x.py", line 3, in run\n  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File "/app/y.py", line 9, in get\n    | httpx.ReadTimeout: timed out\n    +------------------------------------')],
    ['model.rate_limit', 'agent', message('Traceback (most recent call last):\n  File "/app/x.py", line 3, in run\n    raise\nopenai.RateLimitError: Error code: 429 - slow down\n')],
  ])('is %s on a %s step: %#', (expected, step, words) => {
    expect(classified(words, step)).toBe(expected)
  })

  it('does not blame the transport under an SDK’s own error', () => {
    const glued = 'APITimeoutError(\'Request timed out.\')\n\nTraceback (most recent call last):\n  File "/app/t.py", line 95\nhttpx.ReadTimeout: timed out\n\nThe above exception was the direct cause of the following exception:\n'
    expect(causeOf(message(glued)).cause).toBe(Cause.modelTimeout)
  })

  it('takes an end that somebody wanted as an end', () => {
    for (const text of ['Guardrail tripwire triggered', 'InputGuardrailTripwireTriggered: Guardrail InputGuardrail triggered tripwire', 'CancelledError', 'AbortError: This operation was aborted', 'asyncio.exceptions.CancelledError: ', 'The run was cancelled by the user']) {
      expect(causeOf(failure({ statusMessage: text, exceptionType: text.split(':')[0]! })).cause, text).toBe(Cause.stopped)
    }
    expect(causeOf(exception('AbortError', 'The operation was aborted due to timeout')).cause).toBe(Cause.timeout)
  })
})

describe('what stays unknown', () => {
  it.each([
    message(''),
    message('run status: error'),
    message('ValueError'),
    failure({ statusMessage: 'ValueError', errorType: 'ValueError' }),
    exception('KeyError', "'order_id'"),
    exception('ValueError', 'x'),
    exception('AssertionError', ''),
    exception('TypeError', "unsupported operand type(s) for +: 'int' and 'str'"),
    exception('ZeroDivisionError', 'division by zero'),
    exception('ImportError', "cannot import name 'Span' from partially initialized module"),
    exception('RecursionError', 'maximum recursion depth exceeded'),
    exception('ValueError', 'timeout must be a positive number'),
    exception('ValueError', 'order 503 is not in the list of 429 orders'),
    exception('KeyError', '404'),
    exception('AI_APICallError', 'something'),
    exception('haystack.core.errors.PipelineRuntimeError', 'The following component failed to run:'),
    failure({ errorType: '_OTHER', httpStatus: 200 }),
    failure({ errorMessage: '{"message":"Error running tool (non-fatal)","data":{"tool_name":"lookup_order","error":"Tool execution failed. Error details are redacted."}}' }),
  ])('%j', (words) => {
    expect(causeOf(words)).toEqual({ cause: Cause.unknown, rule: 'none', words: '' })
  })

  it('does not read the input that a validator quotes as the error', () => {
    const words = message("1 validation error for Answer\n  Field required [type=missing, input_value={'text': 'Error code: 429, rate limit exceeded'}, input_type=dict]")
    expect(causeOf(words)).toMatchObject({ cause: Cause.validation, rule: 'output-invalid' })
  })
})

describe('hostile texts', () => {
  const LONG = 10 << 20
  it.each<[string, string]>([
    ['one letter', 'a'.repeat(LONG)],
    ['words', 'max steps tool model the '.repeat(LONG / 25)],
    ['dotted path', 'a.'.repeat(LONG / 2)],
    ['class prefixes', 'Error: '.repeat(LONG / 7)],
    ['opened quotes', `Error('"${`{'"\\`.repeat(LONG / 4)}`],
    ['spaces', ' '.repeat(LONG)],
    ['line ends', '\n'.repeat(LONG)],
    ['tracebacks', 'Traceback (most recent call last):\n| + '.repeat(LONG / 40)],
    ['almost a phrase', 'unexpected token tool model guardrail exceed max validation input_value='.repeat(LONG / 72)],
    ['half a surrogate', '\ud83d'.repeat(LONG)],
  ])('reads a bounded part of 10 MB of %s', (_, text) => {
    const words: FailureText = { statusMessage: text, errorType: text, errorMessage: text, exceptionType: text, exceptionMessage: text, httpStatus: 0 }
    const start = performance.now()
    expect(causeOf(words).rule).toBeTypeOf('string')
    // Measured at 6 to 20 ms, most of it for laying out the 10 MB; a backtracking regex would need minutes.
    expect(performance.now() - start).toBeLessThan(500)
  })

  it('finds the error at the end of a long text', () => {
    expect(causeOf(message(`${'x '.repeat(LONG / 2)}\nopenai.RateLimitError: Error code: 429 - slow down`)).cause).toBe(Cause.rateLimit)
  })

  it('answers for random text', () => {
    let seed = 42
    const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff
    const pieces = ['Error code: ', '429', "'", '"', '\\', '{', '(', 'Traceback (most recent call last)', '\n', '| ', '.', ': ', "<class '", '🦄', '\u0000', '\u202e', 'ß', 'Timeout', 'tool ']
    for (let i = 0; i < 2000; i++) {
      const text = () => Array.from({ length: random() * 40 }, () => pieces[Math.floor(random() * pieces.length)]).join('')
      const { cause, rule } = causeOf({ statusMessage: text(), errorType: text(), errorMessage: text(), exceptionType: text(), exceptionMessage: text(), httpStatus: Math.floor(random() * 700) })
      expect(rule === 'none' || CAUSE_RULES.some((r) => r.id === rule)).toBe(true)
      if (rule === 'none') expect(cause).toBe(Cause.unknown)
    }
  })
})
