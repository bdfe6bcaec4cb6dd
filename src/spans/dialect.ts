/**
 * A dialect is how one family of instrumentation writes a step as span attributes. Each is a table in
 * `dialects/`; all tables are compiled into one dispatch over key bytes, so a span costs the same
 * however many dialects there are, and a span that speaks two of them fills the same fields.
 */
import type { Kind } from './names.ts'

/** Text fields of a span; a value is a number of the string table. */
export const Text = {
  /** The model asked for. */
  model: 0,
  /** The model that answered, often with a date in its name. */
  responseModel: 1,
  provider: 2,
  tool: 3,
  agent: 4,
  tenant: 5,
  project: 6,
  /** Retrieval: the data source, index or retriever. */
  collection: 7,
  /** What a step is called where the dialect has a word for it that is not the span name. */
  entity: 8,
  evaluator: 9,
  service: 10,
  /** Of the agent, else of its service. */
  version: 11,
  /** A score in a word. */
  scoreLabel: 12,
} as const
export const TEXT_FIELDS = 13
export type TextField = keyof typeof Text

/** Number fields of a span. Absent is absent, never 0. Tokens: input includes cached, output includes reasoning. */
export const Num = {
  input: 0,
  output: 1,
  cachedInput: 2,
  cacheWrite: 3,
  reasoning: 4,
  costUsd: 5,
  firstTokenSeconds: 6,
  httpStatus: 7,
  messages: 8,
  score: 9,
  /** Taken only for a span without length, which some dialects write after a stream has ended. */
  durationSeconds: 10,
  /** One of `ServiceTier`. */
  tier: 11,
  grpcStatus: 12,
  /** How long the span was allowed to take. */
  deadlineSeconds: 13,
  /** Of what was found: how old it is, how old it may be, and from when (Unix time). */
  ageSeconds: 14,
  mostAgeSeconds: 15,
  dataTimeSeconds: 16,
  /** Above 0: the history was compressed on the way into this call. */
  compacted: 17,
} as const
export const NUM_FIELDS = 18
export type NumField = keyof typeof Num

/** Where the words of a failure are, kept as byte ranges and read only if the span failed. */
export const Evidence = { statusMessage: 0, errorType: 1, errorMessage: 2, exceptionType: 3, exceptionMessage: 4, errorCode: 5, finishReason: 6 } as const
export const EVIDENCE_FIELDS = 7
export type EvidenceField = keyof typeof Evidence

/** What went into a step and what came out of it: a prompt and its answer, a tool's arguments and its result. Read only where somebody asks for it. */
export const Content = { input: 0, output: 1 } as const
export type ContentSide = keyof typeof Content

/** What a `parse` rule may fill. It outranks a dialect's own attributes and yields to the standard ones. */
export interface Fields {
  kind(kind: Kind): void
  text(field: TextField, value: string): void
  number(field: NumField, value: number): void
  /** On the evaluator's own scale; a span can hold the scores of many evaluators. */
  score(evaluator: string, value: number): void
  /** Unix time of the first token. */
  firstToken(unixMs: number): void
  failed(): void
}

export interface ParseLimits {
  /** Only on spans of scopes with this trait: for keys that elsewhere hold something else, or too much. */
  readonly trait?: Trait
  /** Only this much of the beginning is read, which then need not be whole JSON. */
  readonly headBytes?: number
}

/**
 * What to do with one attribute. `rank` decides between two attributes that fill one field on one span:
 * the lower wins, and on a tie the first.
 */
export type AttributeRule =
  | { readonly do: 'kind'; readonly values: Readonly<Record<string, Kind>>; readonly rank: number }
  /** The attribute being there says what the span is. */
  | { readonly do: 'present'; readonly kind: Kind; readonly rank: number }
  | { readonly do: 'text'; readonly field: TextField; readonly rank: number }
  /** `integerScale` where one key has two units: seconds as a double, milliseconds as an integer. */
  | { readonly do: 'number'; readonly field: NumField; readonly scale: number; readonly integerScale: number; readonly rank: number }
  | { readonly do: 'responseId' }
  /** How the provider served a call, which has prices of its own. */
  | { readonly do: 'tier'; readonly rank: number }
  /** Tells calls of the same input: a hash of it or, with `ofContent`, the input itself, which is hashed as far as it is whole. */
  | { readonly do: 'inputHash'; readonly ofContent?: true }
  /** Which conversation it belongs to, of which only a hash is kept. */
  | { readonly do: 'conversation' }
  /** A provider's answer, with its id somewhere inside. */
  | { readonly do: 'responseIdIn' }
  | { readonly do: 'evidence'; readonly field: EvidenceField }
  /** One of these values means that the span failed, whatever its status says. 'true' is also the boolean. */
  | { readonly do: 'failed'; readonly values: readonly string[] }
  /** Compiled only where content is wanted: a key costs nothing otherwise. */
  | { readonly do: 'content'; readonly side: ContentSide; readonly rank: number }
  /** A JSON list of messages, counted when the span is a model call. */
  | { readonly do: 'messages' }
  /** A document in a string: parsed in the slow lane, so only for dialects that offer nothing better. */
  | { readonly do: 'parse'; readonly read: (text: string, fields: Fields) => void; readonly limits: ParseLimits }

export interface NameRule {
  /** Matched against the whole span name. Group 1, if any, is what the step is called. */
  readonly name: RegExp
  readonly kind: Kind
  /** The attributes of these spans say something else, and it is wrong. Only in a dialect with `scopes`. */
  readonly overrules?: true
}

export interface Dialect {
  readonly name: string
  /** Instrumentation scopes that speak it. Without it, the name rules hold for every scope. */
  readonly scopes?: RegExp
  readonly attributes?: Readonly<Record<string, AttributeRule>>
  /** Key prefixes with a message index after them, as in `llm.input_messages.12.message.role`. */
  readonly messagePrefixes?: readonly string[]
  /** The same of scores, as in `evaluations.0.evaluation.score`: name, score, label and annotator_kind are read. */
  readonly scorePrefixes?: readonly string[]
  /** Attributes that hold a step's content, besides the last message under a prefix. */
  readonly content?: Readonly<Record<string, ContentSide>>
  /** Yields to what other dialects tell of the span: it is only what is shown of it. */
  readonly contentRank?: number
  /** Span events by name. Those with content hold it in `content`, or under one of OTel GenAI's keys. */
  readonly events?: Readonly<Record<string, 'exception' | 'firstToken' | 'evaluation' | 'compacted' | ContentSide>>
  /** For spans whose attributes do not say (or no longer: an SDK evicts the oldest past 128). First match wins. */
  readonly names?: readonly NameRule[]
  readonly traits?: readonly Trait[]
}

export type Trait =
  /** Span links join the many traces of one run. */
  | 'joinsLinks'
  /** A span that records an exception has failed, even with status UNSET or OK. */
  | 'exceptionIsFailure'
  /** The provider's SDK tracing itself, beside whatever instrumentation there is: the innermost account of a call. */
  | 'nativeSdk'
  /** Every attempt of a call the SDK retries is a span of its own beside the others. */
  | 'attemptsAreSpans'
  /** The span name is the user's own text: never a label. */
  | 'namesAreText'
  /** Its tool spans only wrap those of the framework, also when the framework never runs the tool. */
  | 'toolsAreWrappers'
  /** Model calls of an evaluator, not of the agent. */
  | 'judges'
  /** A streamed call is two spans: a request without tokens, and another written after the stream, with tokens and `durationSeconds`. */
  | 'streamTwins'
  /** Scores are told in attributes whose keys mean something else in other scopes. */
  | 'tellsScores'
  /** Set by the tables themselves: a name rule of this scope overrules the attributes. */
  | 'namesOverrule'

/**
 * Ranks: a standard attribute outranks a dialect's own, which outranks a guess. EXACT is for the dialect that
 * writes its own kind truly beside a standard attribute that it fills wrongly.
 */
export const EXACT = -1
export const STANDARD = 0
export const OWN = 10
export const GUESS = 20

export const kind = (values: Readonly<Record<string, Kind>>, rank = OWN): AttributeRule => ({ do: 'kind', values, rank })
export const present = (kind: Kind, rank = GUESS): AttributeRule => ({ do: 'present', kind, rank })
export const text = (field: TextField, rank = OWN): AttributeRule => ({ do: 'text', field, rank })
export const number = (field: NumField, rank = OWN, scale = 1, integerScale = scale): AttributeRule => ({ do: 'number', field, scale, integerScale, rank })
export const tier = (rank = OWN): AttributeRule => ({ do: 'tier', rank })
export const inputHash: AttributeRule = { do: 'inputHash' }
export const responseId: AttributeRule = { do: 'responseId' }
export const conversation: AttributeRule = { do: 'conversation' }
export const responseIdIn: AttributeRule = { do: 'responseIdIn' }
export const evidence = (field: EvidenceField): AttributeRule => ({ do: 'evidence', field })
export const failed = (...values: string[]): AttributeRule => ({ do: 'failed', values })
export const messages: AttributeRule = { do: 'messages' }
export const parse = (read: (text: string, fields: Fields) => void, limits: ParseLimits = {}): AttributeRule => ({ do: 'parse', read, limits })

/** Reads a JSON object out of a string attribute; undefined when it is not one. */
export function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
