/** From the words of a failure to its cause: reading the words here, deciding by the table in `causes.ts`. */
import { CAUSE_RULES, type CauseRule } from './causes.ts'
import { codeRule, codesIn } from './codes.ts'
import { type Cause, MOST_WORDS, NO_REASON, type Reason } from './names.ts'

export { CAUSE_RULES, type CauseRule } from './causes.ts'

/** The words a failed span carries; a field it does not carry is ''. */
export interface FailureText {
  readonly statusMessage: string
  readonly errorType: string
  readonly errorMessage: string
  readonly exceptionType: string
  readonly exceptionMessage: string
  /** A provider's or a protocol's code in an attribute. */
  readonly errorCode?: string
  /** HTTP status in an attribute, 0 when there is none. */
  readonly httpStatus: number
}

/**
 * Why a span failed, as far as its words tell, the id of the rule that decided (`none` when none did) and the words it went by.
 * Never throws; at most 4,096 characters a field are read. Four readings, the first that a rule knows decides: the codes of its
 * provider, what the error says, what the traceback glued onto it ends with, and the HTTP status in an attribute.
 */
export function causeOf(failure: FailureText): Reason & { readonly cause: Cause } {
  const reading = read(failure)
  const decided =
    decideByCode(failure, reading) ??
    decide(reading) ??
    (reading.traceback === '' ? undefined : decide(readText([reading.traceback]))) ??
    (failure.httpStatus >= 400 ? decide({ ...reading, status: failure.httpStatus, types: [], text: '' }) : undefined)
  return decided ?? (NO_REASON as Decided)
}

type Decided = Reason & { readonly cause: Cause }

interface Reading {
  /** Class names, without module paths. */
  types: string[]
  text: string
  /** HTTP status in words, 0 when there is none. */
  status: number
  /** The words are a tool's HTTP client's or a tool runner's. */
  ofTool: boolean
  traceback: string
}

function decideByCode(failure: FailureText, { text, ofTool }: Reading): Decided | undefined {
  const rule = codeRule([failure.errorCode ?? '', failure.errorType, ...codesIn(text)])
  return rule && { cause: ofTool ? (rule.ofTool ?? rule.cause) : rule.cause, rule: rule.id, words: rule.code }
}

function decide(reading: Reading): Decided | undefined {
  for (const rule of CAUSE_RULES) {
    const words = matched(rule, reading)
    if (words === undefined) continue
    return { cause: reading.ofTool ? (rule.ofTool ?? rule.cause) : rule.cause, rule: rule.id, words: words.slice(0, MOST_WORDS) }
  }
  return undefined
}

/** What a rule goes by, undefined where it does not apply. */
function matched(rule: CauseRule, { types, text, status }: Reading): string | undefined {
  const [least, most] = rule.status ?? NO_STATUS
  const found = status >= least && status <= most ? `HTTP ${status}` : (types.find((type) => rule.type?.test(type)) ?? rule.text?.exec(text)?.[0])
  return found === undefined || rule.unless?.test(text) === true ? undefined : found.trim()
}
const NO_STATUS = [1, 0] as const

function read(failure: FailureText): Reading {
  const named = [failure.exceptionType, failure.errorType].map((type) => type.slice(0, FIELD_LIMIT).trim())
  const types = named.map(className).filter((name) => name !== '')
  // `error.type` may also be a status or a sentence: `429`, `Max turns exceeded`.
  const sentences = named.filter((name) => name !== '' && className(name) === '')
  const said = [failure.statusMessage, failure.errorMessage, failure.exceptionMessage]
  const reading = readText([...said, ...sentences])
  reading.types.push(...types)
  const status = named.find((name) => /^[45]\d\d$/.test(name))
  if (reading.status === 0 && status !== undefined) reading.status = Number(status)
  reading.ofTool ||= types.some((type) => TOOL_RUNNER_TYPE.test(type))
  return reading
}

function readText(fields: readonly string[]): Reading {
  const reading: Reading = { types: [], text: '', status: 0, ofTool: false, traceback: '' }
  const lines = new Set<string>()
  for (const field of fields) {
    if (field === '') continue
    const whole = bounded(field)
    const { said, concluded } = splitTraceback(whole)
    if (concluded !== '') reading.traceback = concluded
    lines.add(stripClasses(said.replace(QUOTED_INPUT, ' '), reading.types))
  }
  reading.text = [...lines].join('\n')
  for (const match of reading.text.matchAll(TOLD_TYPE)) reading.types.push(match[1] ?? match[2]!)
  const byTool = statusIn(reading.text, TOOL_STATUS)
  reading.status = byTool === 0 ? statusIn(reading.text, SAID_STATUS) : byTool
  // A raw HTTP client may also be a model's, when it says so in the address.
  reading.ofTool = (byTool !== 0 && !MODEL_ENDPOINT.test(reading.text)) || TOOL_RUNNER.test(reading.text) || reading.types.some((type) => TOOL_RUNNER_TYPE.test(type))
  return reading
}

const FIELD_LIMIT = 4096
/** Head and tail: a traceback is glued on in between, and its last line is the error again. */
function bounded(text: string): string {
  return text.length <= FIELD_LIMIT ? text : `${text.slice(0, 3072)}\n${text.slice(-1023)}`
}

/** What the error says, and the last `pkg.Class: message` of the Python traceback glued onto it, '' without one. */
function splitTraceback(text: string): { said: string; concluded: string } {
  const at = text.indexOf('Traceback (most recent call last)')
  if (at < 0) {
    const stack = text.indexOf('\n    at ')
    return { said: stack < 0 ? text : text.slice(0, stack), concluded: '' }
  }
  // Exception groups draw a tree: `  | httpx.ReadTimeout: timed out`.
  const lines = text.slice(at).split('\n').map((line) => line.replace(/^[\s|+-]{0,40}/, ''))
  const last = lines.findLastIndex((line) => TRACEBACK_END.test(line))
  return { said: text.slice(0, at), concluded: last < 0 ? '' : lines.slice(last).join('\n') }
}
const TRACEBACK_END = /^(?:\w{1,60}\.){0,12}\w{0,60}(?:Error|Exception|Timeout|Exceeded|Interrupt|Exit|Unavailable|Exhausted|Failure)(?:: |$)/

/** Takes `litellm.RateLimitError: RateLimitError: …` and `ReadTimeout('…` off the front of a text, into the class names. */
function stripClasses(text: string, types: string[]): string {
  let rest = text.trimStart()
  for (let i = 0; i < 4; i++) {
    const match = /^((?:\w{1,60}\.){0,12}_{0,4}[A-Z]\w{1,80})(?:: |\((?=['"]))/.exec(rest)
    if (match === null) break
    types.push(className(match[1]!))
    rest = rest.slice(match[0].length).trimStart().replace(/^(['"])(?!<class)/, '')
  }
  return rest
}

/** `openai.RateLimitError`, `<class 'openai.RateLimitError'>` and `_RateLimitError` are one class; '' for a sentence or a number. */
function className(type: string): string {
  const path = /^<class '([^']{1,300})'>$/.exec(type)?.[1] ?? type
  return /^(?:[\w$]{1,100}(?:\.|::|\/|\\)){0,16}_{0,4}([A-Za-z][\w$]{0,100})$/.exec(path)?.[1] ?? ''
}

function statusIn(text: string, patterns: readonly RegExp[]): number {
  for (const pattern of patterns) {
    const match = pattern.exec(text)
    if (match !== null) return Number(match[1])
  }
  return 0
}

/** What a validator quotes of its input is the model's or the user's text, not the error's. */
const QUOTED_INPUT = /input_value=[^\n]{0,500}?input_type=/g
/** A class told inside the text: by boto3, by a plugin's JSON. */
const TOLD_TYPE = /\bAn error occurred \(([A-Za-z]{1,80})\) when calling the|"error_type" ?: ?"(\w{1,80})"/g
/** A status as HTTP clients say it that no model SDK lets through: httpx, requests, axios, urllib, aiohttp, .NET. */
const TOOL_STATUS = [
  /\b(?:Client|Server) error '([45]\d\d)\b/,
  /\b([45]\d\d) (?:Client|Server) Error: /,
  /\brequest failed with status(?: code)? ([45]\d\d)\b/i,
  /\bHTTP Error ([45]\d\d): /,
  /\b([45]\d\d), message=/,
  /\bdoes not indicate success: ([45]\d\d)\b/,
]
const SAID_STATUS = [
  /\berror(?: code)?[: ] {0,1}\(?([45]\d\d)\b/i,
  /(?:\b|_)status(?:[_ -]?code)?['"]{0,2}(?: of|:|=| =)? {0,2}([45]\d\d)\b/i,
  /\bHTTP(?:\/[\d.]{1,3})?(?: error| status)?(?: code)?:? {0,2}([45]\d\d)\b/i,
  /\b([45]\d\d):? \(?(?:bad request|unauthorized|payment required|forbidden|not found|request timeout|conflict|payload too large|unprocessable (?:entity|content)|too many requests|internal server error|bad gateway|service unavailable|gateway timeout|overloaded)\b/i,
  /\bresponse(?: code)? ([45]\d\d)\b/i,
  /\bfailed(?: with|:|-) {0,2}([45]\d\d)(?=$|[.,:;)])/im,
  // The reason before the number: `Bad Request (400)`, `(400)\nReason: Bad Request`.
  /\b(?:error|bad request|unauthorized|forbidden|not found|conflict|too many requests|internal server error|bad gateway|service unavailable|unavailable) \(([45]\d\d)\)/i,
  /^\(([45]\d\d)\)$/m,
  // elasticsearch-py: `NotFoundError(404, 'index_not_found_exception'`.
  /\b\w{1,40}(?:Error|Exception)\(([45]\d\d), /,
  // gRPC and Google: `503 UNAVAILABLE.`; the JavaScript SDKs of models: `429 Rate limit reached`, `400 {"type":"error"`.
  /^([45][0-2]\d) (?:[A-Z][A-Za-z_]|\{|")/m,
  /\bcode['"]{1,2}: {0,2}['"]?([45]\d\d)\b/,
]
const MODEL_ENDPOINT = /\/\/(?:api\.(?:openai|anthropic|mistral|groq|cohere|together)\.|generativelanguage\.googleapis\.)|\/v1\/(?:chat\/completions|completions|messages|responses|embeddings)\b|:(?:stream)?generateContent\b|\/model\/[^\s\/]{1,200}\/(?:converse|invoke)|\/api\/(?:chat|generate|embed)\b/i
const TOOL_RUNNER = /\berror (?:running|executing|calling|invoking) (?:the )?(?:tool|function)\b|\btool execution failed\b|\bfailed to (?:run|execute|call|invoke) (?:the )?tool\b|\bMCP error\b/i
const TOOL_RUNNER_TYPE = /^(?:(?:AI_)?(?:Agent)?Tool(?:Execution|Invocation|Call)?(?:Error|Exception)|McpError)$/
