/** Scores of others with a whole bridge: as the documentation says, over a restart, and against a judge's marks. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBridge, type Bridge } from '../../src/bridge.ts'
import { loadConfig } from '../../src/config/config.ts'
import { openMarks } from '../../src/quality/calibration/marks.ts'
import { openDatabase } from '../../src/database.ts'
import { ROOT, spanbridge } from '../cli/spanbridge.ts'
import { fakeBraintrust, fakeLangsmith, type FakeApi, type Feedback, type LogRow } from '../external/sources.ts'
import { parseExposition } from '../metrics/parse.ts'
import { tracesBody } from '../otlpbuilder.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const UUID = '0af76519-16cd-43dd-8448-eb211c80319c'
const PROJECT = '5f6b2f1e-8c0a-4b5e-9f5d-0a1b2c3d4e5f'
const JUDGE = 'judge/answer@1'

const dataDir = mkdtempSync(join(tmpdir(), 'spanbridge-scores-'))
const written = (name: string, text: string) => {
  writeFileSync(join(dataDir, name), text)
  return join(dataDir, name)
}
const feedback: Feedback[] = []
const rows: LogRow[] = []
let langsmith: FakeApi, braintrust: FakeApi
let bridge: Bridge | undefined
let web: string

async function start(): Promise<void> {
  const config = written('spanbridge.yaml', JSON.stringify({
    httpAddress: '127.0.0.1:0', grpcAddress: '127.0.0.1:0', webAddress: '127.0.0.1:0', settleGrace: '100ms', lateWindow: '100ms', dataDir,
    scores: {
      langsmith: { url: langsmith.url, apiKeyFile: written('langsmith', 'key-l\n'), every: '5s' },
      braintrust: { url: braintrust.url, apiKeyFile: written('braintrust', 'key-b\n'), projects: [PROJECT], every: '5s' },
    },
  }))
  bridge = await startBridge(loadConfig({ flags: { config } }))
  web = `http://127.0.0.1:${bridge.addresses.web.port}`
  await request(bridge.addresses.http.port)
}

/** The request that all scores here are about, settled and past its late window. */
async function request(port: number): Promise<void> {
  const now = Date.now()
  const sent = await fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST', headers: { 'Content-Type': 'application/x-protobuf' },
    body: tracesBody([{ trace: TRACE, id: '00f067aa0ba902b7', name: 'invoke_agent support', startMs: now - 10, endMs: now, attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support', 'tenant_id': 'acme' } }]),
  })
  expect(sent.status).toBe(200)
  await expect.poll(() => sample('spanbridge_traces_remembered')).toEqual([['', 1]])
}

/** Values of a metric by the label that is asked for. */
async function sample(metric: string, label = ''): Promise<[string, number][]> {
  const families = parseExposition(await (await fetch(`${web}/metrics`)).text(), 'classic')
  return [...families.values()].flatMap(({ samples }) => samples).filter(({ name, value }) => name === metric && value !== 0).map(({ labels, value }): [string, number] => [labels[label] ?? '', value]).sort()
}
const scored = () => sample('agent_quality_score_sum', 'evaluator')

beforeAll(async () => {
  [langsmith, braintrust] = await Promise.all([fakeLangsmith(feedback, 'key-l'), fakeBraintrust(PROJECT, rows, 'key-b')])
})
afterAll(async () => {
  await bridge?.stop()
  await Promise.all([langsmith.close(), braintrust.close()])
  rmSync(dataDir, { recursive: true, force: true })
})

describe('scores of others', () => {
  test('a bridge remembers whose a request was', start)

  test('every curl of docs/quality.md counts, for the tenant and agent of its request', async () => {
    const commands = readFileSync(join(ROOT, 'docs/quality.md'), 'utf8').split('\n').filter((line) => line.startsWith('curl '))
    expect(commands.length).toBeGreaterThan(1)
    for (const command of commands) {
      const { stdout } = await promisify(execFile)('sh', ['-c', command.replaceAll('http://127.0.0.1:9464', web)])
      expect(JSON.parse(stdout)).toMatchObject({ duplicates: 0, rejected: 0, errors: [] })
    }
    expect(await scored()).toEqual([['ann', 0.25], ['grounded', 1], ['tone', 0.75]])
    expect(new Set((await sample('agent_quality_score_count', 'tenant_id')).map(([tenant]) => tenant))).toEqual(new Set(['acme']))
    expect(await sample('spanbridge_scores_received_total', 'source')).toEqual([['http', 3]])
  })

  test('a person marks it with spanbridge label; a judge of the same request is then told how far it agrees', async () => {
    const judged = openDatabase(join(dataDir, 'scores.db'), 'scores')
    openMarks(judged).judge({ trace: TRACE, evaluator: JUDGE, value: 1 }, Date.now())
    judged.close()
    const mark = (...args: string[]) => spanbridge(['label', TRACE, ...args, '--bridge', web])
    expect(await mark('--score', '2', '--evaluator', 'bob', '--comment', 'wrong date')).toEqual({ code: 0, stdout: `marked ${TRACE} as 2 of 5, by bob\n`, stderr: '' })
    expect(await mark('--score', 'good', '--evaluator', 'eve')).toMatchObject({ code: 0, stdout: `marked ${TRACE} as good, by eve\n` })
    expect(await mark('--score', '6')).toMatchObject({ code: 2 })
    expect(await spanbridge(['label', 'no-trace', '--score', '1', '--bridge', web])).toMatchObject({ code: 1, stderr: 'spanbridge: cannot mark the request: trace_id: expected 32 hex digits\n' })
    expect(await spanbridge(['label', TRACE, '--score', '1', '--bridge', 'http://127.0.0.1:1'])).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot reach the bridge') as string })
    const told = await spanbridge(['calibrate', '--bridge', web])
    expect(told).toMatchObject({ code: 0, stderr: '' })
    // ann (2 of 5) and bob say bad, eve says good as the judge does.
    expect(told.stdout).toMatch(/judge\/answer@1 +3 +33 % \(6 to 79\)/)
    expect(told.stdout).toContain(`${TRACE}  judge 5, bob 2: wrong date`)
    expect(await sample('spanbridge_judge_pairs', 'evaluator')).toEqual([[JUDGE, 3]])
    expect(await sample('spanbridge_judge_bias', 'evaluator')).toEqual([[JUDGE, 0.75]])
  })

  test('feedback of LangSmith and scores of Braintrust count once, also over a restart', async () => {
    const before = Date.now()
    feedback.push({ id: 'f1', created_at: new Date(before).toISOString(), trace_id: UUID, key: 'correctness', score: 0.5, feedback_source: { type: 'app' } })
    rows.push({ id: 'r1', created: new Date(before + 1000).toISOString(), _xact_id: '1000196', root_span_id: TRACE, scores: { Factuality: 0.25 } })
    const polled = async () => (await scored()).filter(([name]) => /^(langsmith|braintrust)\//.test(name))
    await expect.poll(polled, { timeout: 15_000 }).toEqual([['braintrust/Factuality', 0.25], ['langsmith/correctness', 0.5]])
    await bridge!.stop()
    await start()
    // What was counted by the bridge before is told again, and known; what came meanwhile is new.
    feedback.push({ id: 'f2', created_at: new Date(Date.now()).toISOString(), trace_id: UUID, key: 'tone', score: 1, feedback_source: null })
    await expect.poll(polled, { timeout: 15_000 }).toEqual([['langsmith/tone', 1]])
    await expect.poll(() => sample('spanbridge_scores_duplicate_total'), { timeout: 15_000 }).not.toEqual([])
    expect(await polled()).toEqual([['langsmith/tone', 1]])
    // People's marks and the judge's are still there.
    expect(await sample('spanbridge_judge_pairs', 'evaluator')).toEqual([[JUDGE, 4]])
    expect((await sample('spanbridge_score_polls_total', 'source')).map(([source]) => source)).toEqual(['braintrust', 'langsmith'])
    expect(await sample('spanbridge_score_poll_errors_total', 'source')).toEqual([])
  }, 60_000)

  test('a key that cannot be read stops the start, and names the setting', async () => {
    const config = written('wrong.yaml', JSON.stringify({ webAddress: '127.0.0.1:0', dataDir, scores: { langsmith: { apiKeyFile: join(dataDir, 'none') } } }))
    await expect(startBridge(loadConfig({ flags: { config } }))).rejects.toThrow('cannot read scores.langsmith.apiKeyFile')
  })
})
