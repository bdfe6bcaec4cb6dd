import { mkdtempSync, rmSync, truncateSync, writeFileSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PAGER_LIMITS, type PagerLimits } from '../../src/pager/notification.ts'
import { openStore, type IncidentStore } from '../../src/pager/store/store.ts'
import { readNotification } from '../../src/pager/webhook.ts'
import { alert, other, payload, resolved } from './fixtures.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const START = Date.parse('2026-11-23T18:00:00Z')

function open(limits: Partial<PagerLimits> = {}, file = ':memory:') {
  const all = { ...PAGER_LIMITS, ...limits }
  const store = openStore(file, all)
  const tell = (body: unknown, ms: number) => store.record(readNotification(body, all), ms)
  const incidents = (ms: number, query: Partial<Parameters<IncidentStore['list']>[0]> = {}) => store.list({ limit: 100, ...query }, ms)
  const pages = (ms: number, query: Partial<Parameters<IncidentStore['list']>[0]> = {}) => incidents(ms, query).flatMap((one) => one.pages)
  return { store, tell, pages, incidents }
}

describe('grouping', () => {
  test('a page fires, is repeated, grows and resolves: one page, its history told newest first', () => {
    const { store, tell, pages } = open()
    const second = alert({ fingerprint: 'b', startsAt: '2026-11-23T18:04:00Z', labels: { tenant_id: 'globex' } })
    expect(tell(payload(), START)).toEqual({ page: 1, incident: 1, change: 'opened' })
    expect(tell(payload({ notification_reason: 'repeat interval elapsed' }, [alert({ annotations: { value: '70.1 %' } })]), START + MINUTE).change).toBe('repeated')
    expect(tell(payload(), START + 2 * MINUTE).change).toBe('repeated')
    expect(tell(payload({}, [alert(), second]), START + 5 * MINUTE).change).toBe('changed')
    expect(tell(payload({}, [resolved('2026-11-23T18:06:00Z'), second]), START + 7 * MINUTE).change).toBe('changed')
    expect(store.counts()).toEqual({ firing: 1, resolved: 0 })
    expect(tell(payload({}, [{ ...second, status: 'resolved', endsAt: '2026-11-23T18:09:00Z' }]), START + 10 * MINUTE).change).toBe('resolved')

    const [page, ...others] = pages(START + 11 * MINUTE)
    expect(others).toEqual([])
    expect(page).toMatchObject({ status: 'resolved', told: 6, openedMs: START, resolvedMs: START + 10 * MINUTE })
    expect(page?.history.map(({ status, firing, resolved: over, times }) => [status, firing, over, times]))
      .toEqual([['resolved', 0, 1, 1], ['firing', 1, 1, 1], ['firing', 2, 0, 1], ['firing', 1, 0, 3]])
    expect(page?.alerts.map((one) => [one.fingerprint, one.status])).toEqual([['b', 'resolved'], ['1a30ba71cca2921f', 'resolved']])
    expect(store.counts()).toEqual({ firing: 0, resolved: 1 })
  })

  test('a repeat brings the newest annotations without a new line of history', () => {
    const { tell, pages } = open()
    tell(payload(), START)
    tell(payload({}, [alert({ annotations: { value: '61.0 %' } })]), START + MINUTE)
    expect(pages(START)[0]?.alerts[0]?.annotations['value']).toBe('61.0 %')
    expect(pages(START)[0]?.history).toHaveLength(1)
  })

  test('a group that fires anew after it resolved is a new page; the same alert come back is the old one', () => {
    const { tell, pages } = open()
    tell(payload(), START)
    tell(payload({}, [resolved('2026-11-23T18:01:00Z')]), START + MINUTE)
    expect(tell(payload({}, [resolved('2026-11-23T18:01:00Z')]), START + 2 * MINUTE)).toEqual({ page: 1, incident: 1, change: 'repeated' })
    expect(pages(START)[0]?.resolvedMs).toBe(START + MINUTE)
    expect(tell(payload(), START + 3 * MINUTE)).toEqual({ page: 1, incident: 1, change: 'reopened' })
    expect(pages(START)[0]).toMatchObject({ status: 'firing', resolvedMs: null })
    tell(payload({}, [resolved('2026-11-23T18:04:00Z')]), START + 4 * MINUTE)
    expect(tell(payload({}, [alert({ startsAt: '2026-11-23T18:20:00Z' })]), START + 20 * MINUTE)).toEqual({ page: 2, incident: 2, change: 'opened' })
    expect(pages(START).map((page) => [page.id, page.status])).toEqual([[2, 'firing'], [1, 'resolved']])
  })

  test('newest first, where a new alert makes a page new and a repeat does not', () => {
    const { tell, pages, incidents } = open()
    for (const key of ['a', 'b', 'c']) tell(other(key), START)
    tell(other('b'), START + MINUTE)
    expect(pages(START).map((page) => page.groupKey)).toEqual(['c', 'b', 'a'])
    tell(other('a', [alert(), alert({ fingerprint: 'z' })]), START + 2 * MINUTE)
    expect(pages(START).map((page) => page.groupKey)).toEqual(['a', 'c', 'b'])
    const [first] = incidents(START, { limit: 1 })
    expect(pages(START, { before: first?.rank ?? 0 }).map((page) => page.groupKey)).toEqual(['c', 'b'])
    tell(other('c', [resolved('2026-11-23T18:03:00Z')]), START + 3 * MINUTE)
    expect(pages(START, { state: 'firing' }).map((page) => page.groupKey)).toEqual(['a', 'b'])
  })
})

describe('retention', () => {
  test('past the number of notifications the oldest pages go; a page that is still told stays', () => {
    const { tell, pages } = open({ keptNotifications: 3 })
    tell(other('told'), START)
    for (let n = 1; n <= 4; n++) {
      tell(other(`g${n}`), START + n * MINUTE)
      tell(other('told'), START + n * MINUTE + 1)
    }
    expect(pages(START).map((page) => page.groupKey)).toEqual(['g4', 'g3', 'told'])
    expect(pages(START).at(-1)?.told).toBe(5)
  })

  test('a group that changes for ever keeps its newest lines only', () => {
    const { tell, pages } = open({ keptNotifications: 4 })
    for (let n = 0; n < 20; n++) tell(payload({}, [alert({ fingerprint: `f${n}` })]), START + n)
    expect(pages(START)[0]?.history.map((entry) => entry.firstMs - START)).toEqual([19, 18, 17, 16])
    expect(pages(START)[0]?.told).toBe(20)
  })

  test('past the days a page goes, even when nothing new arrives', () => {
    const { store, tell, pages } = open({ keptDays: 30 })
    tell(other('old'), START)
    tell(other('young'), START + 2 * DAY)
    expect(pages(START + 30 * DAY)).toHaveLength(2)
    expect(pages(START + 31 * DAY).map((page) => page.groupKey)).toEqual(['young'])
    expect(store.counts()).toEqual({ firing: 1, resolved: 0 })
  })

  test('past the bytes the pages that were heard of longest ago go', () => {
    const { tell, pages } = open({ keptBytes: 10_000 })
    for (let n = 0; n < 10; n++) tell(other(`g${n}`, [alert({ annotations: { description: 'd'.repeat(2_000) } })]), START + n)
    const kept = pages(START).map((page) => page.groupKey)
    expect(kept.length).toBeGreaterThan(1)
    expect(kept).toEqual(['g9', 'g8', 'g7', 'g6', 'g5'].slice(0, kept.length))
  })
})

describe('the file', () => {
  let folder: string
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'pager-')) })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('opened again it has the history, and goes on with it', () => {
    const file = join(folder, 'made', 'pages.db')
    const first = open({}, file)
    first.tell(payload(), START)
    first.store.close()
    const second = open({}, file)
    expect(second.tell(payload(), START + MINUTE)).toEqual({ page: 1, incident: 1, change: 'repeated' })
    expect(second.pages(START)[0]).toMatchObject({ told: 2, openedMs: START, heardMs: START + MINUTE })
    second.store.close()
  })

  test('that is no database stops the start with its name', () => {
    const file = join(folder, 'pages.db')
    writeFileSync(file, 'not a database, '.repeat(1_000))
    expect(() => open({}, file)).toThrow(`cannot open pager database ${file}: file is not a database`)
  })

  test('that is damaged inside stops the start with its name', () => {
    const file = join(folder, 'pages.db')
    const { store, tell } = open({}, file)
    for (let n = 0; n < 50; n++) tell(other(`g${n}`), START)
    store.close()
    truncateSync(file, Math.floor(readFileSync(file).length / 2 / 4096) * 4096)
    expect(() => open({}, file)).toThrow(new RegExp(`^cannot open pager database ${file}: .*(damaged|malformed)`))
  })

  test.each([
    ['of a newer schema', 'PRAGMA user_version = 99', 'schema is version 99'],
    ['of another program', 'CREATE TABLE theirs (x)', 'belongs to another program'],
  ])('%s stops the start and is left as it is', (_what, sql, message) => {
    const file = join(folder, 'pages.db')
    const other = new DatabaseSync(file)
    other.exec(sql)
    other.close()
    const before = readFileSync(file)
    expect(() => open({}, file)).toThrow(message)
    expect(readFileSync(file)).toEqual(before)
  })
})
