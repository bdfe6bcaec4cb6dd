/** The labels, metadata and keys that the bridge's lines have, as the stage itself writes them. */
import { objectiveRows, readObjectives } from '../../src/config/objectives.ts'
import { LogCounts } from '../../src/logs/counts.ts'
import type { LogLine } from '../../src/logs/line.ts'
import { RequestLog } from '../../src/logs/requestlog.ts'
import { testEngine } from '../conformance/recordings.ts'
import { run, START_MS } from '../logs/runs.ts'
import { tracesBody } from '../otlpbuilder.ts'

const lines: LogLine[] = []
let log: RequestLog | undefined
const engine = testEngine({ onSettled: (settled, nowMs) => log!.settled(settled, nowMs), objectives: objectiveRows(readObjectives(), [], () => undefined), maxOpenRequests: 100, strings: { capacity: 1 << 14 } })
log = new RequestLog({ linesPerSecond: 100, strings: engine.strings, counts: new LogCounts() }, (line) => lines.push(line))
engine.traces(tracesBody(run({ failure: '503 Service Unavailable', seconds: 5, costUsd: 1, prompt: '[{"role":"user","content":"x"}]', scores: { helpful: 0.1 } })), START_MS)
engine.finish(START_MS)
log.finish(START_MS)

export const LINE_LABELS: ReadonlySet<string> = new Set(['service_name', ...lines.flatMap(({ stream, metadata }) => [...Object.keys(stream), ...Object.keys(metadata)])])
export const LINE_KEYS: ReadonlySet<string> = new Set(lines.flatMap(({ text }) => Object.keys(JSON.parse(text) as object)))
