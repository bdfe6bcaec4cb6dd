/** Pages that are one matter are one incident, and others are not. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { incidentViewOf } from '../../src/pager/incidentview.ts'
import { incidentJson } from '../../src/pager/json.ts'
import { PAGER_LIMITS } from '../../src/pager/notification.ts'
import { openStore } from '../../src/pager/store/store.ts'
import { readNotification } from '../../src/pager/webhook.ts'
import { alert, annotatedCause, payload } from './fixtures.ts'
import { startPager } from './server.ts'

const MINUTE = 60_000
const START = Date.parse('2026-11-23T18:00:00Z')
const DEADLINE = { class: 'tool', type: '5xx', step: 'tool', name: 'lookup_order' }

interface Told {
  readonly alertname: string
  readonly tenant?: string
  readonly agent?: string
  readonly severity?: string
  readonly owner?: string
  readonly cause?: Parameters<typeof annotatedCause>[0]
  readonly minute?: number
  readonly status?: string
}

/** One alert as the project's own rules send it: alone in its group, the cause in annotations. */
function telling({ alertname, tenant = 'acme', agent = 'support', severity = 'critical', owner = 'agent-oncall', cause, minute = 0, status = 'firing' }: Told) {
  const startsAt = new Date(START + minute * MINUTE).toISOString()
  const text = cause === undefined ? '' : `${cause.step} ${cause.name}: ${alertname}`
  return payload({ groupKey: `${alertname}/${tenant}/${agent}` }, [alert({
    startsAt, status, fingerprint: `${alertname}${tenant}${agent}${minute}`, ...(status === 'resolved' ? { endsAt: startsAt } : {}),
    labels: { alertname, severity, owner, tenant_id: tenant, agent, class: '', type: '', step: '', name: '', project_id: '' },
    annotations: { summary: `${alertname} of ${agent}`, root_cause: text, ...(cause === undefined ? {} : annotatedCause(cause)) },
  })])
}

function open(file = ':memory:') {
  const store = openStore(file, PAGER_LIMITS)
  const tell = (told: Told, ms = START + (told.minute ?? 0) * MINUTE) => store.record(readNotification(telling(told), PAGER_LIMITS), ms)
  return { store, tell, list: () => store.list({ limit: 100 }, START) }
}

test('latency P95, P99 and success of one agent are one incident: one word for all, one timeline, resolved with the last of them', () => {
  const { store, tell, list } = open()
  expect(tell({ alertname: 'P95', cause: { class: '', type: '', step: 'tool', name: 'lookup_order' } })).toEqual({ page: 1, incident: 1, change: 'opened' })
  expect(tell({ alertname: 'P99', cause: { class: '', type: '', step: 'tool', name: 'lookup_order' }, minute: 1 })).toEqual({ page: 2, incident: 1, change: 'joined' })
  expect(tell({ alertname: 'Success', cause: DEADLINE, minute: 2 })).toMatchObject({ incident: 1, change: 'joined' })
  expect(store.act(1, { deed: 'acknowledged', by: 'Ada', detail: '' }, START + 3 * MINUTE)).toBe(true)
  expect(tell({ alertname: 'P95', status: 'resolved', minute: 4 }, START + 4 * MINUTE)).toMatchObject({ incident: 1, change: 'resolved' })
  const [incident, ...more] = list()
  expect(more).toEqual([])
  expect(incident).toMatchObject({ status: 'firing', pageCount: 3, acknowledged: { by: 'Ada' } })
  expect(store.counts()).toEqual({ firing: 1, resolved: 0 })

  // What names an error leads; the same place told of twice is one cause.
  const view = incidentViewOf(incident!)
  expect(view.lead.alertname).toBe('Success')
  expect(view.causes.map(({ step, name, type }) => [step, name, type])).toEqual([['tool', 'lookup_order', '5xx'], ['tool', 'lookup_order', '']])
  expect(view.pages.map(({ page, view: { alertname } }) => [alertname, page.status])).toEqual([['Success', 'firing'], ['P99', 'firing'], ['P95', 'resolved']])
  expect(view).toMatchObject({ sinceMs: START, endedMs: null, tenants: ['acme'], agents: ['support'] })
  expect(incidentJson(incident!)).toMatchObject({ id: 1, pagesOmitted: 0, pages: [{ alertname: 'Success' }, { alertname: 'P99' }, { alertname: 'P95' }] })

  tell({ alertname: 'P99', cause: DEADLINE, status: 'resolved', minute: 5 })
  tell({ alertname: 'Success', cause: DEADLINE, status: 'resolved', minute: 6 })
  expect(list()[0]).toMatchObject({ status: 'resolved', resolvedMs: START + 6 * MINUTE })
  expect(store.counts()).toEqual({ firing: 0, resolved: 1 })
})

test('other agents and tenants have incidents of their own, unless the same root cause breaks them', () => {
  const { tell } = open()
  const own = (told: Partial<Told>) => tell({ alertname: 'Success', ...told }).incident
  expect(own({ cause: DEADLINE })).toBe(1)
  expect(own({ tenant: 'globex' })).toBe(2)
  expect(own({ agent: 'billing', cause: { ...DEADLINE, name: 'ledger' } })).toBe(3)
  // The tool is down for whoever of the agent's tenants calls it, and for whichever of the tenant's agents.
  expect(own({ tenant: 'soylent', cause: DEADLINE })).toBe(1)
  expect(own({ agent: 'returns', cause: DEADLINE })).toBe(1)
  // As common a cause as this in another agent of another tenant says nothing.
  expect(own({ tenant: 'initech', agent: 'reports', cause: DEADLINE })).toBe(4)
})

test('what began long before is another matter, but not where the cause is the same', () => {
  const { tell } = open()
  expect(tell({ alertname: 'Cost', severity: 'warning' }).incident).toBe(1)
  expect(tell({ alertname: 'Success', cause: DEADLINE, minute: 31 }).incident).toBe(2)
  expect(tell({ alertname: 'Quality', minute: 45 }).incident).toBe(2)
  expect(tell({ alertname: 'P99', cause: DEADLINE, minute: 300 }).incident).toBe(2)
  // Nothing joins what is over, or what a person has ended.
  tell({ alertname: 'Cost', severity: 'warning', status: 'resolved', minute: 301 })
  expect(tell({ alertname: 'Savings', minute: -10 }).incident).toBe(3)
})

test('an incident that a person ended takes no new pages', () => {
  const { store, tell } = open()
  tell({ alertname: 'P95', cause: DEADLINE })
  store.act(1, { deed: 'closed', by: '', detail: '' }, START)
  expect(tell({ alertname: 'P99', cause: DEADLINE, minute: 1 })).toMatchObject({ incident: 2, change: 'opened' })
})

test('who took an incident has not taken what is worse than they knew', () => {
  const { store, tell } = open()
  tell({ alertname: 'Quality', severity: 'warning' })
  store.act(1, { deed: 'acknowledged', by: 'Ada', detail: '' }, START)
  tell({ alertname: 'Cost', severity: 'warning', minute: 1 })
  expect(store.get(1)?.acknowledged).toMatchObject({ by: 'Ada' })
  tell({ alertname: 'Success', minute: 2 })
  expect(store.get(1)).toMatchObject({ acknowledged: null, actions: [{ deed: 'unacknowledged', by: '', detail: 'a worse alert' }, { deed: 'acknowledged' }] })
})

test('alerts about no agent are about the system of their owner; those that do not even say that stay alone', () => {
  const { tell } = open()
  const about = (alertname: string, owner: string) => tell({ alertname, owner, tenant: '', agent: '' }).incident
  expect([about('SpanbridgeDown', 'platform'), about('PipelineLatency', 'platform'), about('Disk', ''), about('Fan', '')]).toEqual([1, 1, 2, 3])
})

test('the page shows its pages inside it, once each, and one row of buttons', async () => {
  const server = await startPager()
  await server.post(telling({ alertname: 'P95', minute: -1 }))
  await server.post(telling({ alertname: 'Success', cause: DEADLINE, minute: 0 }))
  const text = await (await fetch(`${server.url}/pager`)).text()
  expect(text.match(/<article/g)).toHaveLength(1)
  expect(text.match(/data-deed="acknowledged"/g)).toHaveLength(1)
  const rows = [.../<ol class="pages"[^>]*>(.*?)<\/ol>/s.exec(text)![1]!.matchAll(/<li class="(.*?)">.*?<bdi>(.*?)<\/bdi>/gs)].map(([, kind, what]) => [kind, what])
  expect(rows).toEqual([['firing critical', 'Success of support'], ['firing critical', 'P95 of support']])
  const timeline = /<h3>Timeline<\/h3>\s*<ol class="history">(.*?)<\/ol>/s.exec(text)![1]!
  expect([...timeline.matchAll(/class="alertname">(.*?)</g)].map(([, name]) => name).sort()).toEqual(['P95', 'Success'])
  await server.stop()
})

test('a line says whom it is about where the incident is about several', async () => {
  const server = await startPager()
  const rows = async () => [...(await (await fetch(`${server.url}/pager`)).text()).matchAll(/<bdi class="whom">(.*?)<\/bdi>/g)].map(([, who]) => who)
  await server.post(telling({ alertname: 'P95', cause: DEADLINE }))
  await server.post(telling({ alertname: 'P99', cause: DEADLINE }))
  expect(await rows()).toEqual([])
  await server.post(telling({ alertname: 'P95', cause: DEADLINE, tenant: 'globex' }))
  expect(await rows()).toEqual(['acme', 'acme', 'globex'])
  await server.stop()
})

test('a file of the version before has its pages as incidents, with what people did', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pager-'))
  const file = join(folder, 'pages.db')
  const before = new DatabaseSync(file)
  const body = JSON.stringify({ receiver: '', externalUrl: '', omittedAlerts: 0, alerts: readNotification(telling({ alertname: 'Old' }), PAGER_LIMITS).alerts })
  before.exec(`
    CREATE TABLE page (id INTEGER PRIMARY KEY AUTOINCREMENT, rank INTEGER NOT NULL, group_key TEXT NOT NULL, status TEXT NOT NULL, opened_ms INTEGER NOT NULL,
      heard_ms INTEGER NOT NULL, resolved_ms INTEGER, told INTEGER NOT NULL, body TEXT NOT NULL, bytes INTEGER NOT NULL, closed INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE INDEX page_rank ON page (rank); CREATE INDEX page_group ON page (group_key, id); CREATE INDEX page_bytes ON page (heard_ms, bytes); CREATE INDEX page_status ON page (status, closed);
    CREATE TABLE notification (id INTEGER PRIMARY KEY AUTOINCREMENT, page_id INTEGER NOT NULL REFERENCES page (id) ON DELETE CASCADE, digest TEXT NOT NULL, status TEXT NOT NULL,
      reason TEXT NOT NULL, firing INTEGER NOT NULL, resolved INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, times INTEGER NOT NULL) STRICT;
    CREATE INDEX notification_page ON notification (page_id, id); CREATE INDEX notification_age ON notification (last_ms, id);
    CREATE TABLE action (id INTEGER PRIMARY KEY AUTOINCREMENT, page_id INTEGER NOT NULL REFERENCES page (id) ON DELETE CASCADE, deed TEXT NOT NULL, by TEXT NOT NULL,
      detail TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
    CREATE INDEX action_page ON action (page_id, id);
    INSERT INTO page VALUES (7, 12, 'old', 'firing', ${START}, ${START}, NULL, 1, '${body.replaceAll("'", "''")}', 100, 1);
    INSERT INTO notification VALUES (1, 7, 'd', 'firing', '', 1, 0, ${START}, ${START}, 1);
    INSERT INTO action VALUES (1, 7, 'closed', 'Ada', 'done', ${START + 1});
    PRAGMA user_version = 2;`)
  before.close()
  const { store, tell, list } = open(file)
  expect(list()).toMatchObject([{ id: 7, rank: 12, status: 'resolved', closed: { by: 'Ada', detail: 'done' }, pages: [{ id: 7, groupKey: 'old', status: 'firing', history: [{ firing: 1 }] }] }])
  expect(tell({ alertname: 'New' })).toEqual({ page: 8, incident: 8, change: 'opened' })
  store.close()
  rmSync(folder, { recursive: true })
})
