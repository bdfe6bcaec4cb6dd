/** Expectations that nothing is held against: their tool never comes, or its spans do not tell what it gave back. */
import type { Expectations, ExpectationsOf } from '../../config/expectations.ts'
import type { Finding } from './finding.ts'

export interface ChecksSeen {
  readonly expectations: Expectations
  /** Those of the spans, where that is known. */
  readonly dialects: readonly string[]
  /** As `agent_quality_checks_total` has them. */
  readonly checked: readonly { readonly name: string; readonly result: string; readonly times: number }[]
  /** Names that have come. */
  readonly tools: readonly string[]
  readonly agents: readonly string[]
}

/** What makes an instrumentation tell prompts, answers and results, by dialect. */
const SWITCHES: Readonly<Record<string, string>> = {
  'otel-genai': 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY with OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental',
  'google-adk': 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY, and ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS=true',
  openinference: 'no OPENINFERENCE_HIDE_OUTPUTS',
  openllmetry: 'no TRACELOOP_TRACE_CONTENT=false',
  haystack: 'HAYSTACK_CONTENT_TRACING_ENABLED=true',
  langsmith: 'no LANGSMITH_HIDE_OUTPUTS',
  'pydantic-ai': 'no include_content=False in InstrumentationSettings',
  'vercel-ai': 'no recordOutputs: false in experimental_telemetry',
}

export function checkExpected({ expectations, dialects, checked, tools, agents }: ChecksSeen): Finding[] {
  const findings: Finding[] = []
  const look = (entries: readonly ExpectationsOf[], what: string, seen: readonly string[]) => {
    for (const { match, written } of entries) {
      const names = seen.filter((name) => match.test(name))
      const counts = checked.filter(({ name, times }) => times > 0 && names.includes(name))
      const times = (...results: string[]) => counts.reduce((sum, one) => (results.includes(one.result) ? sum + one.times : sum), 0)
      const [judged, without, long] = [times('pass', 'fail'), times('no_content'), times('too_long')]
      const expected = `expectations are configured for ${what} ${written}`
      if (names.length === 0) findings.push({ level: 'warn', what: `checks: ${expected}, which has not come`, next: `compare the name with those that have: ${seen.slice(0, 5).join(', ') || 'none'}` })
      else if (judged === 0 && without > 0) findings.push({ level: 'warn', what: `checks: ${expected}, but its spans carry no content`, next: `turn it on: ${switchesOf(dialects)}` })
      else if (judged === 0 && long > 0) findings.push({ level: 'warn', what: `checks: ${expected}, but what it gives is longer than is kept (16 KiB)`, next: 'let it give back less' })
      else if (judged > 0 && without + long > 0) findings.push({ level: 'warn', what: `checks: ${without + long} of ${judged + without + long} of ${what} ${written} could not be made`, next: 'see agent_quality_checks_total by result: no_content, too_long' })
      else if (judged > 0) findings.push({ level: 'ok', what: `checks: ${judged} of ${what} ${written}, ${times('fail')} failed`, next: '' })
      else findings.push({ level: 'warn', what: `checks: ${expected}, and nothing is checked`, next: what === 'tool' ? 'start the bridge with this configuration, or see whether every call fails' : 'start the bridge with this configuration, or see whether any request succeeds' })
    }
  }
  look(expectations.tools, 'tool', tools)
  look(expectations.agents, 'agent', agents)
  return findings
}

/** Of the dialects that the spans speak, else of all. */
function switchesOf(dialects: readonly string[]): string {
  const known = Object.entries(SWITCHES).filter(([name]) => dialects.some((dialect) => dialect === name || dialect.startsWith(`${name}-`) || dialect.endsWith(`-${name}`)))
  const [one] = known
  if (known.length === 1) return one![1]
  return (known.length > 0 ? known : Object.entries(SWITCHES)).map(([name, text]) => `${name}: ${text}`).join('; ')
}
