/** Failures in the words of the SDKs and tools that say so. */
import type { Failure } from './run.ts'

export const SAID = {
  rateLimit: { type: 'RateLimitError', message: "Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4.1 on tokens per min (TPM): Limit 450000, Used 449120, Requested 3310.', 'type': 'tokens', 'code': 'rate_limit_exceeded'}}", httpStatus: 429 },
  validation: { type: 'ValidationError', message: '2 validation errors for Answer\nsources\n  Field required [type=missing]\nconfidence\n  Input should be less than or equal to 1 [type=less_than_equal]' },
  unavailable: { type: 'InternalServerError', message: "Error code: 503 - {'error': {'message': 'The server is currently overloaded with other requests.', 'type': 'server_error'}}", httpStatus: 503 },
  toolTimeout: { type: 'ReadTimeout', message: 'The read operation timed out' },
  tool4xx: { type: 'HTTPStatusError', message: "Client error '403 Forbidden' for url 'https://orders.internal.example/v2/orders'", httpStatus: 403 },
  tool5xx: { type: 'HTTPStatusError', message: "Server error '502 Bad Gateway' for url 'https://orders.internal.example/v2/orders'", httpStatus: 502 },
  malformed: { type: 'JSONDecodeError', message: 'Expecting value: line 1 column 1 (char 0)' },
  overflow: { type: 'BadRequestError', message: "Error code: 400 - {'error': {'message': \"This model's maximum context length is 128000 tokens. However, your messages resulted in 141207 tokens.\", 'code': 'context_length_exceeded'}}", httpStatus: 400 },
  stale: { type: 'StaleIndexError', message: 'the index is out of date: built 41 days ago, allowed are 7' },
  deadlock: { type: 'GraphRecursionError', message: 'Recursion limit of 25 reached without hitting a stop condition.' },
  inference: { type: 'APITimeoutError', message: 'Request timed out.' },
} as const satisfies Record<string, Failure>
