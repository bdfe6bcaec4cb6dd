/**
 * Codes that providers and protocols give their errors, in attributes or quoted inside of the words: exact, so they are asked before any
 * phrase. A code that says only what an HTTP status says as well (`invalid_request_error`) is not here: the words beside it tell more.
 */
import { Cause } from './names.ts'

/** Who gives which code for what. `of` is the first part of the rule's id: `openai.code.rate_limit_exceeded`. */
const CODES: readonly { readonly of: string; readonly cause: Cause; readonly ofTool?: Cause; readonly codes: readonly string[] }[] = [
  { of: 'openai', cause: Cause.overflow, codes: ['context_length_exceeded', 'string_above_max_length'] },
  { of: 'openai', cause: Cause.rateLimit, codes: ['rate_limit_exceeded', 'insufficient_quota', 'billing_hard_limit_reached', 'tokens_usage_based'] },
  { of: 'openai', cause: Cause.unavailable, codes: ['model_not_found', 'server_error', 'engine_overloaded', 'slow_down'] },
  { of: 'openai', cause: Cause.refused, codes: ['invalid_api_key', 'account_deactivated', 'unsupported_country_region_territory'] },
  { of: 'azure', cause: Cause.unavailable, codes: ['DeploymentNotFound', 'NoCapacity'] },
  { of: 'anthropic', cause: Cause.rateLimit, codes: ['rate_limit_error', 'billing_error'] },
  { of: 'anthropic', cause: Cause.unavailable, codes: ['overloaded_error', 'api_error'] },
  { of: 'anthropic', cause: Cause.timeout, codes: ['timeout_error'] },
  { of: 'anthropic', cause: Cause.overflow, codes: ['request_too_large'] },
  { of: 'bedrock', cause: Cause.rateLimit, codes: ['ThrottlingException', 'ServiceQuotaExceededException', 'TooManyRequestsException'] },
  { of: 'bedrock', cause: Cause.unavailable, codes: ['ModelNotReadyException', 'ModelErrorException', 'ModelStreamErrorException', 'ServiceUnavailableException'] },
  { of: 'bedrock', cause: Cause.modelTimeout, codes: ['ModelTimeoutException'] },
  { of: 'google', cause: Cause.rateLimit, codes: ['RESOURCE_EXHAUSTED', 'RATE_LIMIT_EXCEEDED'] },
  { of: 'google', cause: Cause.unavailable, codes: ['UNAVAILABLE'] },
  { of: 'google', cause: Cause.timeout, codes: ['DEADLINE_EXCEEDED'] },
  { of: 'groq', cause: Cause.validation, codes: ['tool_use_failed', 'json_validate_failed'] },
  { of: 'llamacpp', cause: Cause.overflow, codes: ['exceed_context_size_error'] },
  { of: 'node', cause: Cause.timeout, ofTool: Cause.toolTimeout, codes: ['ETIMEDOUT', 'ESOCKETTIMEDOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ECONNABORTED'] },
  { of: 'node', cause: Cause.unavailable, ofTool: Cause.toolUnavailable, codes: ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE', 'EHOSTUNREACH', 'UND_ERR_SOCKET'] },
]

export interface CodeRule {
  readonly id: string
  readonly code: string
  readonly cause: Cause
  readonly ofTool: Cause | undefined
}

/** In order: of several codes in one failure the first here decides. */
export const CODE_RULES: readonly CodeRule[] = CODES.flatMap(({ of, cause, ofTool, codes }) => codes.map((code) => ({ id: `${of}.code.${code}`, code, cause, ofTool })))

const BY_CODE: ReadonlyMap<string, number> = new Map(CODE_RULES.map(({ code }, i) => [code, i]))

/** The rule of the first code that is known; undefined when none is. */
export function codeRule(codes: Iterable<string>): CodeRule | undefined {
  let best = CODE_RULES.length
  for (const code of codes) best = Math.min(best, BY_CODE.get(code) ?? best)
  return CODE_RULES[best]
}

/** Codes quoted in a text: `'code': 'rate_limit_exceeded'`, `"type":"overloaded_error"`, `"__type": "ThrottlingException"`. */
const QUOTED_CODE = /['"](?:code|type|__type|status|reason|error_code)['"] ?: ?['"]([A-Za-z][\w.]{2,60})['"]/g
const MOST_CODES = 16

export function codesIn(text: string): string[] {
  const found: string[] = []
  for (const match of text.matchAll(QUOTED_CODE)) if (found.push(match[1]!) >= MOST_CODES) break
  return found
}

/** What gRPC's status codes mean, by number: https://grpc.io/docs/guides/status-codes/ */
export const GRPC: ReadonlyMap<number, { readonly id: string; readonly cause: Cause }> = new Map(([
  [3, 'INVALID_ARGUMENT', Cause.clientError], [4, 'DEADLINE_EXCEEDED', Cause.timeout], [5, 'NOT_FOUND', Cause.missing], [7, 'PERMISSION_DENIED', Cause.refused],
  [8, 'RESOURCE_EXHAUSTED', Cause.rateLimit], [9, 'FAILED_PRECONDITION', Cause.clientError], [11, 'OUT_OF_RANGE', Cause.clientError], [12, 'UNIMPLEMENTED', Cause.clientError],
  [13, 'INTERNAL', Cause.unavailable], [14, 'UNAVAILABLE', Cause.unavailable], [15, 'DATA_LOSS', Cause.unavailable], [16, 'UNAUTHENTICATED', Cause.refused],
] as const).map(([code, name, cause]) => [code, { id: `grpc.status.${name}`, cause }]))
