/** Scores of LangSmith and Braintrust: read page by page, counted once, from where it was left. */
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, test } from 'vitest'
import { braintrustSource } from '../../src/quality/external/braintrust.ts'
import { langsmithSource } from '../../src/quality/external/langsmith.ts'
import { startPoller, type Poller } from '../../src/quality/external/poller.ts'
import { openProgress } from '../../src/quality/external/progress.ts'
import { TryLater, type FoundScore, type ScoreSource } from '../../src/quality/external/source.ts'
import { fakeBraintrust, fakeLangsmith, json, type FakeApi, type Feedback, type LogRow } from './sources.ts'

const NOW = Date.UTC(2026, 10, 24, 12)
const PROJECT = '5f6b2f1e-8c0a-4b5e-9f5d-0a1b2c3d4e5f'
const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString()
const uuid = (n: number) => `0af76519-16cd-43dd-8448-${n.toString(16).padStart(12, '0')}`
const hexOf = (n: number) => uuid(n).replaceAll('-', '')

const apis: FakeApi[] = []
const pollers: Poller[] = []
afterEach(async () => {
  await Promise.all(pollers.splice(0).map((poller) => poller.stop()))
  await Promise.all(apis.splice(0).map((api) => api.close()))
})
const opened = async <T extends FakeApi>(api: Promise<T>): Promise<T> => {
  apis.push(await api)
  return api
}

/** Polls until nothing more is there, as the poller does but without its pauses. */
async function readAll(source: ScoreSource, cursor?: string, nowMs = NOW): Promise<{ scores: FoundScore[]; cursor: string; pages: number }> {
  const scores: FoundScore[] = []
  for (let pages = 1; ; pages++) {
    const page = await source.page(cursor, nowMs, new AbortController().signal)
    scores.push(...page.scores)
    cursor = page.cursor
    if (!page.more) return { scores, cursor, pages }
  }
}

describe('LangSmith', () => {
  const feedback = (n: number, rest: Partial<Feedback> = {}): Feedback => ({ id: `f${n}`, created_at: at(n), trace_id: uuid(n), key: 'correctness', score: 0.5, feedback_source: { type: 'api' }, ...rest })
  const source = (url: string, projects: string[] = []) => langsmithSource({ url, apiKey: () => 'secret', projects })

  test('feedback is a score of its trace, by whom it is', async () => {
    const { url, asked } = await opened(fakeLangsmith([
      feedback(1), feedback(2, { key: 'thumbs', score: true, feedback_source: { type: 'app' } }), feedback(3, { score: null, value: 'pass' }), feedback(4, { score: null, comment: 'a note alone' }),
      feedback(5, { trace_id: null, run_id: uuid(50), feedback_source: null }), feedback(-400),
    ], 'secret'))
    const { scores, cursor } = await readAll(source(url))
    expect(scores.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      { id: 'f1', trace: uuid(1), evaluator: 'langsmith/correctness', layer: 'external', score: 0.5 },
      { id: 'f2', trace: uuid(2), evaluator: 'langsmith/thumbs', layer: 'human', score: true },
      { id: 'f3', trace: uuid(3), evaluator: 'langsmith/correctness', layer: 'external', label: 'pass' },
      { id: 'f5', trace: uuid(50), evaluator: 'langsmith/correctness', layer: 'external', score: 0.5 },
    ])
    // From five minutes before the newest: what was written late is told late.
    await readAll(source(url), cursor)
    expect(asked.map(({ query }) => query.get('min_created_at'))).toEqual([at(-300), at(5 - 300)])
  })

  test('many are read page by page, each asked for once, and what comes meanwhile is not lost', async () => {
    const all = Array.from({ length: 250 }, (_, n) => feedback(n))
    const { url, asked, trouble } = await opened(fakeLangsmith(all, 'secret'))
    const first = await source(url).page(undefined, NOW, new AbortController().signal)
    expect([first.scores.length, first.more]).toEqual([100, true])
    all.push(feedback(900))
    const rest = await readAll(source(url), first.cursor)
    expect(asked.map(({ query }) => query.get('offset'))).toEqual(['0', '100', '200'])
    expect(new Set([...first.scores, ...rest.scores].map(({ id }) => id)).size).toBe(250)
    expect((await readAll(source(url), rest.cursor)).scores.map(({ id }) => id)).toContain('f900')
    expect(trouble).toEqual([])
  })

  test('only of the projects that are named', async () => {
    const { url, asked } = await opened(fakeLangsmith([feedback(1, { session_id: PROJECT }), feedback(2, { session_id: uuid(9) })], 'secret'))
    expect((await readAll(source(url, [PROJECT]))).scores.map(({ id }) => id)).toEqual(['f1'])
    expect(asked[0]!.query.getAll('session')).toEqual([PROJECT])
    expect((await readAll(source(url, [PROJECT, uuid(9)]))).scores).toHaveLength(2)
  })

  test('says when to come back; a wrong key is told without the key', async () => {
    const { url, trouble } = await opened(fakeLangsmith([], 'secret'))
    trouble.push((response) => json(response, { detail: 'rate limit' }, 429, { 'Retry-After': '17' }), (response) => json(response, { not: 'a list' }), (response) => json(response, {}, 503))
    await expect(source(url).page(undefined, NOW, new AbortController().signal)).rejects.toMatchObject({ seconds: 17 })
    await expect(source(url).page(undefined, NOW, new AbortController().signal)).rejects.toThrow('not a list of feedback')
    await expect(source(url).page(undefined, NOW, new AbortController().signal)).rejects.toThrow('503')
    const wrong = await langsmithSource({ url, apiKey: () => 'wrong-key-of-ours', projects: [] }).page(undefined, NOW, new AbortController().signal).catch((error: Error) => error.message)
    expect(wrong).toContain('401')
    expect(wrong).not.toContain('wrong-key-of-ours')
  })
})

describe('Braintrust', () => {
  const row = (n: number, scores: LogRow['scores'], rest: Partial<LogRow> = {}): LogRow => ({ id: `r${n}`, created: at(n), _xact_id: String(1000 + n), root_span_id: hexOf(n), scores, ...rest })
  const source = (url: string) => braintrustSource({ url, apiKey: () => 'secret', project: PROJECT, rememberMs: 86_400_000 })

  test('each score of a row is one, of the trace that its root span names', async () => {
    const rows = [row(1, { Factuality: 0.75, tone: null }), row(2, null), row(3, { Factuality: 0, tone: 1 }, { root_span_id: uuid(3) })]
    const { url, asked } = await opened(fakeBraintrust(PROJECT, rows, 'secret'))
    const { scores, cursor } = await readAll(source(url))
    expect(scores).toEqual([
      { id: 'r1/Factuality', trace: hexOf(1), evaluator: 'braintrust/Factuality', score: 0.75, layer: 'external' },
      { id: 'r3/Factuality', trace: uuid(3), evaluator: 'braintrust/Factuality', score: 0, layer: 'external' },
      { id: 'r3/tone', trace: uuid(3), evaluator: 'braintrust/tone', score: 1, layer: 'external' },
    ])
    expect(asked[0]!.body).not.toContain('_xact_id >=')
    // A score that comes long after its span writes the row again.
    rows[1]!.scores = { late: 0.5 }
    rows[1]!._xact_id = '2000'
    const later = await readAll(source(url), cursor, NOW + 3_600_000)
    expect(later.scores.map(({ id }) => id)).toEqual(['r2/late', 'r3/Factuality', 'r3/tone'])
    expect(asked[1]!.body).toContain("_xact_id >= '1003'")
  })

  test('many are read page by page; transactions are numbers, however long', async () => {
    const rows = Array.from({ length: 7 }, (_, n) => row(n, { s: 1 }, { _xact_id: ['999', '1000', '99', '1000196', '1000195', '5', '1000196'][n]! }))
    const { url } = await opened(fakeBraintrust(PROJECT, rows, 'secret', 3))
    const { scores, cursor, pages } = await readAll(source(url))
    expect([scores.length, pages]).toEqual([7, 3])
    expect(JSON.parse(cursor)).toEqual({ since: '1000196', newest: '', page: '' })
  })

  test('until there is a first row, it is asked for what came since the beginning', async () => {
    const rows: LogRow[] = []
    const { url, asked } = await opened(fakeBraintrust(PROJECT, rows, 'secret'))
    const { cursor } = await readAll(source(url))
    rows.push(row(-10, { s: 1 }), row(10, { s: 1 }))
    expect((await readAll(source(url), cursor, NOW + 600_000)).scores.map(({ id }) => id)).toEqual(['r10/s'])
    expect(asked[1]!.body).toContain(`created >= '${at(0)}'`)
  })

  test('says when to come back; an answer that is none is told as that', async () => {
    const { url, trouble } = await opened(fakeBraintrust(PROJECT, [], 'secret'))
    const page = () => source(url).page(undefined, NOW, new AbortController().signal)
    trouble.push((response) => json(response, {}, 429, { 'Retry-After': '60' }), (response) => json(response, {}, 502), (response) => json(response, { rows: [] }), (response) => response.end('<html>'), (response) => response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end())
    await expect(page()).rejects.toMatchObject({ seconds: 60 })
    await expect(page()).rejects.toThrow('HTTP 502')
    await expect(page()).rejects.toThrow('no list of data')
    await expect(page()).rejects.toThrow()
    // A redirection would carry the key elsewhere.
    await expect(page()).rejects.toThrow()
  })
})

describe('polling', () => {
  /** A poller over a scripted source, and what it did; resolves `quiet` when the script has ended. */
  function polled(script: (() => { scores: FoundScore[]; cursor: string; more?: boolean })[], database = new DatabaseSync(':memory:'), progress = openProgress(database)) {
    const taken: string[] = [], told: string[] = [], cursors: (string | undefined)[] = []
    let again = 0
    const failed: boolean[] = []
    const quiet = Promise.withResolvers<void>()
    const poller = startPoller({
      source: {
        name: 'langsmith',
        page: async (cursor, _, signal) => {
          const next = script.shift()
          if (next === undefined) {
            quiet.resolve()
            return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
          }
          cursors.push(cursor)
          return { more: false, ...next() }
        },
      },
      key: 'langsmith', everySeconds: 0.001, backoffSeconds: 0.001, progress, take: ({ id }) => { taken.push(id) }, again: () => { again++ },
      polled: (bad) => { failed.push(bad) }, tell: (message) => { told.push(message) }, now: () => NOW, random: () => 0,
    })
    pollers.push(poller)
    return { taken, told, cursors, failed, quiet: quiet.promise, poller, counts: () => ({ again }) }
  }
  const score = (id: string): FoundScore => ({ id, trace: hexOf(1), evaluator: 'e', score: 1, layer: 'external' })

  test('what is told again counts once, within a page, from poll to poll and after a restart', async () => {
    const database = new DatabaseSync(':memory:')
    const first = polled([() => ({ scores: [score('a'), score('b'), score('a')], cursor: '1' }), () => ({ scores: [score('b'), score('c')], cursor: '2' })], database)
    await first.quiet
    expect([first.taken, first.cursors, first.counts()]).toEqual([['a', 'b', 'c'], [undefined, '1'], { again: 2 }])
    await first.poller.stop()
    const second = polled([() => ({ scores: [score('c'), score('d')], cursor: '3' })], database)
    await second.quiet
    expect([second.taken, second.cursors]).toEqual([['d'], ['2']])
  })

  test('another source has ids and a place of its own', () => {
    const progress = openProgress(new DatabaseSync(':memory:'))
    progress.commit('a', 'cursor', ['1'])
    expect([progress.seen('a', '1'), progress.seen('b', '1'), progress.cursor('a'), progress.cursor('b')]).toEqual([true, false, 'cursor', undefined])
  })

  test('the oldest ids are forgotten, so that they take no room for ever', () => {
    const progress = openProgress(new DatabaseSync(':memory:'), 3)
    progress.commit('a', '', ['1', '2', '3', '4'])
    progress.remember('a', '5')
    expect(['1', '2', '3', '4', '5'].map((id) => progress.seen('a', id))).toEqual([false, false, true, true, true])
  })

  test('a failure is told once, later polls wait, and nothing is skipped', async () => {
    const fail = () => { throw new Error('HTTP 502') }
    const { taken, told, cursors, failed, quiet } = polled([() => ({ scores: [score('a')], cursor: '1' }), fail, fail, () => ({ scores: [score('b')], cursor: '2' })])
    await quiet
    expect([taken, cursors]).toEqual([['a', 'b'], [undefined, '1', '1', '1']])
    expect(failed).toEqual([false, true, true, false])
    expect(told).toEqual(['cannot read scores of langsmith: HTTP 502', 'scores of langsmith come again'])
  })

  test('who waits for the next poll is stopped at once', async () => {
    const { failed, poller } = polled([() => { throw new TryLater('busy', 3000) }])
    await expect.poll(() => failed).toEqual([true])
    await poller.stop()
  })

  test('where the database cannot be written, a score counts once all the same', async () => {
    const database = new DatabaseSync(':memory:')
    const real = openProgress(database)
    let full = 2
    const { taken, quiet } = polled([() => ({ scores: [score('a')], cursor: '1' }), () => ({ scores: [score('a'), score('b')], cursor: '1' }), () => ({ scores: [score('a'), score('b'), score('c')], cursor: '1' })], database, {
      ...real, commit: (...args) => { if (full-- > 0) throw new Error('the disk is full'); real.commit(...args) },
    })
    await quiet
    expect(taken).toEqual(['a', 'b', 'c'])
    expect(['a', 'b', 'c'].map((id) => real.seen('langsmith', id))).toEqual([true, true, true])
  })
})
