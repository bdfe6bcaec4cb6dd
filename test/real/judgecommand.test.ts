/** `spanbridge judge` as a user's shell runs it, on recorded spans and a fake endpoint. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { spanbridge } from '../cli/spanbridge.ts'
import { fakeModel, type FakeModel } from '../judge/fakemodel.ts'
import { tracesJson } from '../otlpbuilder.ts'

const folder = mkdtempSync(join(tmpdir(), 'spanbridge-judge-'))
afterAll(() => rmSync(folder, { recursive: true }))
let model: FakeModel
beforeEach(async () => { model = await fakeModel() })
afterEach(() => model.stop())

const START_MS = Date.UTC(2026, 0, 1)
const file = join(folder, 'traces-1.json')
writeFileSync(file, tracesJson([1, 2, 3].map((n) => ({
  trace: String(n).repeat(32), id: '00000000000000a1', name: 'invoke_agent', startMs: START_MS, endMs: START_MS + 100, scope: 'my.agent',
  attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support', 'input.value': `question ${n} of ann@example.com`, 'output.value': `answer ${n}` },
}))))
const env = { ANTHROPIC_API_KEY: 'key-of-the-test' }

test('prints marks, reasons and cost, and a reason writes nothing else into the terminal', async () => {
  model.answer({ score: 5, reason: 'right' }, { score: 2, reason: 'wrong\u001b[2J\nvery' }, { score: 3 })
  const ran = await spanbridge(['judge', file, '--base-url', model.url], { env })
  expect(ran).toMatchObject({ code: 0, stderr: '' })
  expect(ran.stdout).toMatch(/222222222222 +support +2 +0\.25 +0\.0\d+/)
  expect(ran.stdout).toContain('222222222222: wrong [2J very')
  expect(ran.stdout).toMatch(/judge\/answer@1: 3 of 3 requests marked, mean 0\.583, 0\.\d+ USD/)
  expect(model.calls.map(({ user }) => /question \d of \[e-mail\]/.exec(user)?.[0])).toEqual([1, 2, 3].map((n) => `question ${n} of [e-mail]`))
})

test('tells what it would cost without a key and without asking anybody', async () => {
  const ran = await spanbridge(['judge', file, '--dry-run', '--json', '--limit', '2', '--base-url', model.url])
  expect(ran).toMatchObject({ code: 0, stderr: '' })
  const { requests, total, left } = JSON.parse(ran.stdout) as { requests: { aboutUsd: number; mostUsd: number }[]; total: { mostUsd: number }; left: number }
  expect([requests.length, left]).toEqual([2, 1])
  for (const { aboutUsd, mostUsd } of requests) expect(aboutUsd).toBeLessThan(mostUsd)
  expect(total.mostUsd).toBeCloseTo(requests.reduce((sum, { mostUsd }) => sum + mostUsd, 0), 9)
  expect(model.calls).toEqual([])
})

test('exits 1 where a request got no mark, and spends no more than it may', async () => {
  model.answer({ refusal: true })
  const refused = await spanbridge(['judge', file, '--limit', '1', '--base-url', model.url], { env })
  expect(refused.code).toBe(1)
  expect(refused.stdout).toContain('no_mark: refusal')
  const spent = await spanbridge(['judge', file, '--max-usd', '0.0001', '--base-url', model.url, '--json'], { env })
  expect(spent.code).toBe(1)
  expect((JSON.parse(spent.stdout) as { requests: { said: string }[] }).requests.map(({ said }) => said)).toEqual(['budget_usd', 'budget_usd', 'budget_usd'])
  expect(model.calls).toHaveLength(1)
})

test('a rubric of one own is tried, and its name is in the evaluator', async () => {
  const rubric = join(folder, 'rubric.yaml')
  writeFileSync(rubric, 'name: mine\nversion: 7\ninstructions: Mark the tone.\n')
  const ran = await spanbridge(['judge', file, '-n', '1', '--rubric', rubric, '--base-url', model.url], { env })
  expect(ran.stdout).toContain('judge/mine@7')
  expect(model.calls[0]!.system).toContain('Mark the tone.')
})

test.each([
  ['no key', [file], {}, /there is no key; set ANTHROPIC_API_KEY/],
  ['no file', [join(folder, 'gone.json')], env, /no such file/],
  ['no content', ['test/recordings/openai-otel-v2-legacy'], env, /none has a question and an answer on its spans/],
  ['no rubric', [file, '--rubric', 'gone.yaml'], env, /cannot read the rubric/],
])('says what is wrong: %s', async (_, args, given, problem) => {
  const ran = await spanbridge(['judge', ...args, '--base-url', 'http://127.0.0.1:1'], { env: given })
  expect(ran.code).toBeGreaterThan(0)
  expect(ran.stderr).toMatch(problem)
})
