/**
 * What a span tells beside the words of its failure: a status of gRPC, a finish reason, a deadline that it ran into, the age of what it
 * found, a result that is not what it says. In order, the first that holds decides; most only where the words left the cause open.
 */
import { GRPC } from './codes.ts'
import { Cause, Kind, type Reason } from './names.ts'

export interface Observed {
  readonly kind: number
  readonly failed: boolean
  /** What the words say. */
  readonly reason: Reason
  readonly seconds: number
  /** As far as it is told; -1. */
  readonly deadlineSeconds: number
  readonly grpcStatus: number
  readonly ageSeconds: number
  readonly mostAgeSeconds: number
  /** Of a model's answer, as told, all of them; ''. */
  readonly finish: string
}

export interface SignalRule {
  readonly id: string
  readonly cause: (seen: Observed) => number
  /** What it goes by, for the reference. */
  readonly about: string
  /** Whether it applies, and the evidence in words. */
  readonly sees: (seen: Observed) => string | undefined
}

const isOpen = ({ failed, reason }: Observed) => failed && reason.cause === Cause.unknown

export const SIGNAL_RULES: readonly SignalRule[] = [
  {
    id: 'grpc.status', cause: ({ grpcStatus }) => GRPC.get(grpcStatus)?.cause ?? Cause.unknown,
    about: 'The status code of gRPC, where the words leave it open.',
    sees: (seen) => (isOpen(seen) ? GRPC.get(seen.grpcStatus)?.id : undefined),
  },
  {
    // A run that was cancelled at its deadline was not ended by anybody who wanted that.
    id: 'deadline.passed', cause: () => Cause.timeout,
    about: 'It ended at or after the deadline that it tells, and the words say nothing, or only that it was cancelled.',
    sees: ({ failed, reason, seconds, deadlineSeconds }) =>
      failed && (reason.cause === Cause.unknown || reason.rule === 'cancelled') && deadlineSeconds > 0 && seconds >= deadlineSeconds * 0.98 ? `${round(seconds)} s of ${round(deadlineSeconds)} s` : undefined,
  },
  {
    id: 'finish.length', cause: () => Cause.validation,
    about: 'A model call failed, its words are of a text cut off or say nothing, and its finish reason is the limit of the answer.',
    sees: ({ failed, kind, reason, finish }) => (failed && kind === Kind.model && (reason.cause === Cause.unknown || reason.cause === Cause.malformed) ? /\b(?:length|max_tokens|MAX_TOKENS|max_output_tokens)\b/.exec(finish)?.[0] : undefined),
  },
  {
    id: 'finish.refused', cause: () => Cause.validation,
    about: 'A model call failed without a cause in its words, and its finish reason is a filter of content or a refusal.',
    sees: (seen) => (isOpen(seen) && seen.kind === Kind.model ? /\b(?:content_?filter(?:ed)?|SAFETY|safety|refusal|PROHIBITED_CONTENT|RECITATION|BLOCKLIST|guardrail_intervened)\b/.exec(seen.finish)?.[0] : undefined),
  },
  {
    id: 'finish.tool-call', cause: () => Cause.validation,
    about: 'A model call failed without a cause in its words, and its finish reason is a tool call that cannot be read.',
    sees: (seen) => (isOpen(seen) && seen.kind === Kind.model ? /\b(?:MALFORMED_FUNCTION_CALL|UNEXPECTED_TOOL_CALL|malformed_(?:function|tool)_call)\b/.exec(seen.finish)?.[0] : undefined),
  },
  {
    id: 'finish.error', cause: () => Cause.unavailable,
    about: 'A model call failed without a cause in its words, and its finish reason says that the provider broke off.',
    sees: (seen) => (isOpen(seen) && seen.kind === Kind.model ? /\b(?:error|OTHER|network_error|insufficient_system_resource)\b/.exec(seen.finish)?.[0] : undefined),
  },
  {
    id: 'age.stale', cause: () => Cause.staleData,
    about: 'What was found is older than it may be, by its own word or by `staleAfter` of the configuration. It need not have failed.',
    sees: ({ failed, kind, ageSeconds, mostAgeSeconds }) =>
      !failed && (kind === Kind.retrieval || kind === Kind.tool || kind === Kind.state) && mostAgeSeconds > 0 && ageSeconds > mostAgeSeconds ? `${days(ageSeconds)} old, ${days(mostAgeSeconds)} allowed` : undefined,
  },
]

/** The reason by the signals, else by the words; undefined for a span that has not failed and of which no signal says so. */
export function signalled(seen: Observed): Reason | undefined {
  for (const rule of SIGNAL_RULES) {
    const words = rule.sees(seen)
    if (words !== undefined) return { cause: rule.cause(seen), rule: rule.id === 'grpc.status' ? words : rule.id, words }
  }
  return seen.failed ? seen.reason : undefined
}

function round(seconds: number): string {
  return seconds.toFixed(seconds < 10 ? 2 : 0)
}

function days(seconds: number): string {
  return seconds < 172_800 ? `${(seconds / 3600).toFixed(1)} h` : `${Math.floor(seconds / 86_400)} days`
}
