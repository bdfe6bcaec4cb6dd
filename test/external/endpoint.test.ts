/** POST /v1/scores and GET /v1/calibration, over a real engine. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import express from 'express'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { Calibration } from '../../src/quality/calibration/calibration.ts'
import { openMarks } from '../../src/quality/calibration/marks.ts'
import { scoreRoutes } from '../../src/quality/external/endpoint.ts'
import { Intake } from '../../src/quality/external/intake.ts'
import { openProgress } from '../../src/quality/external/progress.ts'
import { Scales } from '../../src/spans/scale.ts'
import { series, testEngine } from '../conformance/recordings.ts'
import { tracesBody } from '../otlpbuilder.ts'

const NOW = Date.UTC(2026, 10, 24)
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const JUDGE = 'judge/answer@1'

let token: string | undefined
let now = NOW
function bench() {
  const engine = testEngine({ scales: new Scales([{ evaluator: 'stars', worst: 1, best: 5 }]), memory: { rememberMs: 86_400_000, maxTraces: 10 } })
  const database = new DatabaseSync(':memory:')
  const calibration = new Calibration(openMarks(database))
  const intake = new Intake({ scales: engine.scales, calibration, score: (trace, score, nowMs) => engine.score(trace, score, nowMs) })
  engine.traces(tracesBody([{ trace: TRACE, id: '00f067aa0ba902b7', name: 'invoke_agent support', startMs: NOW, endMs: NOW + 1, attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support', 'tenant_id': 'acme' } }]), NOW)
  engine.tick(NOW + 10_000)
  engine.tick(NOW + 3_600_000)
  return { engine, calibration, intake, router: scoreRoutes({ intake, progress: openProgress(database), calibration, token: () => token, now: () => now }) }
}
let current = bench()
const server = createServer(express().use((request, response, next) => current.router(request, response, next)))
const url = await new Promise<string>((resolve) => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)))
afterAll(() => new Promise((resolve) => server.close(resolve)))
beforeEach(() => {
  token = undefined
  now = NOW + 3_600_000
  current = bench()
})

async function post(body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/v1/scores`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) })
  return { status: response.status, body: (await response.json()) as { accepted?: number; duplicates?: number; rejected?: number; errors?: { index: number; error: string }[]; error?: string } }
}
const given = (rest: object = {}) => ({ trace_id: TRACE, evaluator: 'tone', score: 0.5, ...rest })
const scored = () => series(current.engine, 'agent_quality_score').map(({ labels, value, count }) => [labels['tenant_id'], labels['agent'], labels['layer'], labels['evaluator'], value / count, count])

describe('a score', () => {
  test('is the request\'s, an hour after it', async () => {
    expect(await post(given())).toEqual({ status: 200, body: { accepted: 1, duplicates: 0, rejected: 0, errors: [] } })
    expect(scored()).toEqual([['acme', 'support', 'external', 'tone', 0.5, 1]])
    expect(current.intake.received.http).toBe(1)
  })

  test('can be one of many, on a scale of its own, a word, or a person\'s; the trace as a UUID', async () => {
    const trace_id = '0AF76519-16CD-43DD-8448-EB211C80319C'
    expect((await post([given({ trace_id }), given({ evaluator: 'stars', score: 4 }), given({ evaluator: 'ann', score: undefined, label: 'good', layer: 'human' }), given({ evaluator: 'stars', score: true })])).body).toMatchObject({ accepted: 4 })
    expect(scored().map(([, , ...rest]) => rest)).toEqual([['external', 'tone', 0.5, 1], ['external', 'stars', 0.875, 2], ['human', 'ann', 1, 1]])
  })

  test('with an id counts once', async () => {
    expect((await post([given({ id: 'a' }), given({ id: 'a' })])).body).toMatchObject({ accepted: 1, duplicates: 1 })
    expect((await post(given({ id: 'a' })))).toMatchObject({ status: 200, body: { accepted: 0, duplicates: 1 } })
    expect(scored()[0]!.at(-1)).toBe(1)
    expect(current.intake.duplicates).toBe(2)
  })

  test('that is refused may come again under its id', async () => {
    expect((await post(given({ id: 'a', score: 7 }))).status).toBe(400)
    expect((await post(given({ id: 'a' }))).body).toMatchObject({ accepted: 1 })
  })
})

describe('what is wrong is told by its place, and the rest counts', () => {
  test('each item', async () => {
    const { status, body } = await post([given({ score: 7 }), given(), given({ trace_id: 'x' }), given({ trace_id: '0'.repeat(32) }), given({ score: undefined, label: 'so-so' }), given({ score: undefined }), given({ layer: 'judge' }), given({ mark: 6 }), given({ evaluator: '' }), given({ extra: 1 }), 5, null])
    expect([status, body.accepted, body.rejected]).toEqual([200, 1, 11])
    expect(body.errors!.map(({ index }) => index)).toEqual([0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(body.errors![0]!.error).toContain('outside of the scale')
    expect(body.errors![1]!.error).toBe('trace_id: expected 32 hex digits')
    expect(body.errors![3]!.error).toContain('not a known word')
    expect(current.engine.scales.rejected).toEqual({ out_of_range: 1, unknown_label: 1, no_score: 1, no_trace: 0, too_many: 0, malformed: 8 })
  })

  test('the request as a whole', async () => {
    expect(await post('{"trace_id": ')).toMatchObject({ status: 400, body: { error: expect.stringContaining('cannot read request') } })
    expect(await post([])).toMatchObject({ status: 400 })
    expect(await post(Array.from({ length: 1001 }, () => given()))).toMatchObject({ status: 413 })
    expect(await post(given({ comment: 'x'.repeat(2_000_000) }))).toMatchObject({ status: 413 })
    expect(await post(given(), { 'Content-Type': 'text/plain' })).toMatchObject({ status: 415 })
    expect(await post(given(), { 'Sec-Fetch-Site': 'cross-site' })).toMatchObject({ status: 403 })
    expect((await fetch(`${url}/v1/scores`)).status).toBe(404)
    expect(scored()).toEqual([])
  })

  test('errors are told up to twenty', async () => {
    const { body } = await post(Array.from({ length: 100 }, () => given({ score: 9 })))
    expect([body.rejected, body.errors!.length]).toEqual([100, 20])
  })

  test('a token, where one is asked for', async () => {
    token = 'secret'
    expect((await post(given())).status).toBe(401)
    expect((await post(given(), { Authorization: 'Bearer wrong' })).status).toBe(401)
    expect((await post(given(), { Authorization: 'Bearer secret' })).status).toBe(200)
    expect((await fetch(`${url}/v1/calibration`)).status).toBe(401)
  })
})

test('a person\'s word meets a judge\'s mark, and what comes of it is told', async () => {
  current.calibration.judge({ trace: TRACE, evaluator: JUDGE, value: 1 }, now)
  await post([given({ evaluator: 'stars', mark: 2, score: undefined, comment: 'made up the date' }), given({ layer: 'external', score: 0 })])
  const told = (await (await fetch(`${url}/v1/calibration`)).json()) as unknown
  expect(told).toMatchObject({ judges: [{ judge: JUDGE, pairs: 1, agreement: { value: 0 }, differences: [{ trace: TRACE, person: 'stars', judgeValue: 1, personValue: 0.25, comment: 'made up the date' }] }] })
})
