import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadRecordings } from '../../src/cli/recorded/recordings.ts'
import { castOf } from '../../src/demo/cast.ts'
import { play, recording, ROOT, series } from '../conformance/recordings.ts'

const cast = castOf(ROOT)

function counted(folder: string, metric: 'agent_requests_total' | 'agent_root_causes_total') {
  const [dialect, scenario] = folder.split('/').slice(-2) as [string, string]
  return series(play(recording(ROOT, dialect, scenario).bodies), metric).filter(({ value }) => value > 0).map(({ labels }) => labels)
}

function maxMessages(folder: string): number {
  const [dialect, scenario] = folder.split('/').slice(-2) as [string, string]
  return recording(ROOT, dialect, scenario).truth.max_messages_in_call ?? 0
}

test('the healthy runs are many, of many frameworks, and none of them counts as failed', () => {
  expect(cast.healthy.length).toBeGreaterThan(50)
  expect(new Set(cast.healthy.map((folder) => folder.split('/').at(-2))).size).toBeGreaterThan(20)
  for (const folder of cast.healthy) expect(counted(folder, 'agent_requests_total').filter(({ outcome }) => outcome !== 'success'), folder).toEqual([])
})

test('none of the healthy runs has a history that should have been compressed', () => {
  for (const folder of cast.healthy) expect(maxMessages(folder), folder).toBeLessThanOrEqual(50)
})

test('every failing run fails because lookup_order answered 5xx, whatever the framework', () => {
  expect(cast.failing.length).toBeGreaterThan(3)
  for (const folder of cast.failing) {
    expect(counted(folder, 'agent_requests_total').map(({ agent, outcome }) => [agent, outcome]), folder).toEqual([['support_agent', 'error']])
    expect(counted(folder, 'agent_root_causes_total'), folder).toEqual([expect.objectContaining({ class: 'tool', type: '5xx', step: 'tool', name: 'lookup_order' })])
  }
})

test('the affected agent has healthy runs that are fast enough for its latency objective', () => {
  const fast = loadRecordings(cast.affected).filter(({ seconds }) => seconds > 0 && seconds < 0.45)
  const agents = fast.flatMap(({ name }) => counted(join(name), 'agent_requests_total').map(({ agent }) => agent))
  expect(agents.filter((agent) => agent === 'support_agent').length).toBeGreaterThan(3)
})
