/** `node test/spans/show.ts PATH…` prints recordings as the scanner and the dialect tables see them. A path may leave out `test/recordings/`. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readRecording, RECORDINGS, type Read } from './recordings.ts'

for (const path of process.argv.slice(2)) {
  const spans = readRecording(existsSync(path) ? path : join(RECORDINGS, path))
  console.log(`== ${path}: ${spans.length} spans`)
  const ids = new Set(spans.map((span) => span.trace + span.id))
  for (const span of spans) {
    if (!ids.has(span.trace + span.parent)) show(span, spans, 0)
  }
}

function show(span: Read, spans: readonly Read[], depth: number): void {
  const details = [
    span.captured === undefined ? '' : `captured=${span.captured}`,
    ...Object.entries(span.text).map(([field, value]) => `${field}=${value}`),
    ...Object.entries(span.num).map(([field, value]) => `${field}=${value}`),
    span.response === '' ? '' : `response=${span.response.slice(0, 6)}`,
    span.firstTokenSeconds === undefined ? '' : `firstTokenEvent=${span.firstTokenSeconds.toFixed(3)}`,
    span.messages === 0 ? '' : `messages=${span.messages}`,
    ...span.scores.map(({ evaluator, value }) => `score:${evaluator}=${value}`),
    span.dropped === 0 ? '' : `dropped=${span.dropped}`,
  ].filter((detail) => detail !== '')
  const indent = '  '.repeat(depth)
  console.log(`${indent}${span.kind.toUpperCase()} ${JSON.stringify(span.spanName)} ${span.scope} ${(span.seconds * 1000).toFixed(1)}ms ${details.join(' ')}`)
  if (span.failed) console.log(`${indent}    FAILED ${JSON.stringify(span.evidence).slice(0, 400)}`)
  for (const child of spans) if (child.trace === span.trace && child.parent === span.id) show(child, spans, depth + 1)
}
