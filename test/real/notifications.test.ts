/** What people are sent, by a real Alertmanager to loopback servers, beside the committed texts. UPDATE_GOLDEN=1 writes those. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { alertmanagerConfig } from '../../provisioning/alertmanager.ts'
import { type Native, startAlertmanager } from '../../provisioning/run.ts'
import { routing } from '../alerts/routing.ts'
import { type Mail, type Mailbox, startMailbox } from './mailbox.ts'
import { cases, type Case } from './notifications.ts'
import { type Received, type Recorder, startRecorder } from './recorder.ts'
import { needs } from './require.ts'

const PATHS = ['/slack', '/pagerduty', '/webhook', '/pager'] as const
const telling = (at: (typeof PATHS)[number], { mark }: Case) => ({ path, body }: Received) => path === at && body.includes(mark)

const golden = join(import.meta.dirname, 'golden')

needs('alertmanager').describe('what people are sent', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-notifications-'))
  let recorder: Recorder
  let mailbox: Mailbox
  let alertmanager: Native

  beforeAll(async () => {
    recorder = await startRecorder()
    mailbox = await startMailbox()
    const write = (name: string, text: string) => {
      writeFileSync(join(directory, name), text)
      return join(directory, name)
    }
    const secrets = {
      slack: write('slack', `${recorder.url}/slack\n`),
      webhook: write('webhook', `${recorder.url}/webhook\n`),
      token: write('webhook-token', 'token of the webhook\n'),
      pagerduty: write('pagerduty', 'key of pagerduty\n'),
      smtp: write('smtp', 'password of smtp\n'),
    }
    const config = await routing(`{
      alertmanager+: {
        channels+: {
          slack+: { apiUrlFile: '${secrets.slack}', channel: '#agents' },
          pagerduty+: { routingKeyFile: '${secrets.pagerduty}', url: '${recorder.url}/pagerduty' },
          email+: { to: 'a@example.org, b@example.org', from: 'alerts@example.org', smarthost: '${mailbox.address}', username: 'alerts', passwordFile: '${secrets.smtp}', requireTls: false },
          webhook+: { urlFile: '${secrets.webhook}', credentialsFile: '${secrets.token}' },
        },
        severities+: {
          [severity]+: { to: ['pager', 'slack', 'pagerduty', 'email', 'webhook'], groupWait: '1s', groupInterval: '1s' }
          for severity in ['critical', 'warning']
        },
      },
    }`)
    const text = alertmanagerConfig(stringify(config), { pagerUrl: `${recorder.url}/pager` })
    alertmanager = await startAlertmanager({
      configFile: write('alertmanager.yml', text), dataDir: join(directory, 'data'), logDir: directory, extraArgs: ['--web.external-url=http://alertmanager.example'],
    })
    // As of now: a group with an alert that began longer ago than its wait is told of at once, with as many of its alerts as have come.
    await Promise.all(cases.map(({ alerts }) => post(alerts.map((alert) => ({ ...alert, startsAt: new Date().toISOString() })))))
    await Promise.all([mailbox.holding(cases.length), ...cases.flatMap((one) => PATHS.map((path) => recorder.fitting(telling(path, one))))])
  }, 60_000)

  afterAll(async () => {
    await alertmanager?.stop()
    await recorder?.close()
    await mailbox?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  test.each(cases)('Slack: $name', async (one) => {
    const { body } = await recorder.fitting(telling('/slack', one))
    const message = JSON.parse(body) as { channel: string; attachments: { title: string; text: string; fallback: string; mrkdwn_in: string[] }[] }
    expect(message.channel).toBe('#agents')
    for (const { title, text, fallback, mrkdwn_in } of message.attachments) {
      // Links of ours alone, and no character that Slack would read otherwise.
      for (const shown of [title, fallback, text.replace(/<http:\/\/[^<>|\s]+\|(Runbook|Dashboard|Silence)>/g, '')]) expect(shown).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/)
      expect(mrkdwn_in).toEqual(['pretext'])
    }
    same(`${one.name}.slack.json`, pretty(message))
  })

  test.each(cases)('PagerDuty: $name', async (one) => {
    const { body } = await recorder.fitting(telling('/pagerduty', one))
    const event = JSON.parse(body) as { routing_key: string; payload: { severity: string; custom_details: Record<string, unknown> } }
    expect(event.routing_key).toBe('key of pagerduty')
    expect(['critical', 'error', 'warning', 'info']).toContain(event.payload.severity)
    for (const detail of Object.values(event.payload.custom_details)) expect(['string', 'number', 'object']).toContain(detail === null ? 'object' : typeof detail)
    same(`${one.name}.pagerduty.json`, pretty(event))
  })

  test.each(cases)('e-mail: $name', (one) => {
    const mail = mailbox.mails.find(({ text }) => text.includes(one.mark)) as Mail
    expect(mail).toMatchObject({ login: 'alerts password of smtp', from: 'alerts@example.org', to: ['a@example.org', 'b@example.org'] })
    expect(mail.subject).not.toMatch(/[\r\n]/)
    // What is a tag of ours in the template, and nothing else.
    expect([...new Set([...mail.html.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag]) => tag))].filter((tag) => !['html', 'head', 'meta', 'title', 'body', 'div', 'h1', 'p', 'b', 'a'].includes(tag!))).toEqual([])
    for (const [, href] of mail.html.matchAll(/href="([^"]*)"/g)) expect(href).toMatch(/^https?:\/\//)
    same(`${one.name}.email.txt`, `Subject: ${mail.subject}\n\n${mail.text}\n`)
    same(`${one.name}.email.html`, `${mail.html}\n`)
  })

  test.each(cases)('webhook and pager page, as Alertmanager writes it: $name', async (one) => {
    for (const to of ['/webhook', '/pager'] as const) {
      const { body, authorization } = await recorder.fitting(telling(to, one))
      const { alerts } = JSON.parse(body) as { alerts: { labels: unknown }[] }
      expect(alerts.map(({ labels }) => labels)).toEqual(expect.arrayContaining(one.alerts.map(({ labels }) => labels)))
      expect(authorization).toBe(to === '/webhook' ? 'Bearer token of the webhook' : undefined)
    }
  })

  test('what is over is told everywhere', async () => {
    const [over] = cases as [Case]
    await post(over.alerts.map((alert) => ({ ...alert, endsAt: new Date().toISOString() })))
    const resolved = (at: string) => recorder.fitting(({ path, body }) => path === at && body.includes(over.mark) && /resolve/i.test(body))
    same(`over.slack.json`, pretty(JSON.parse((await resolved('/slack')).body)))
    same(`over.pagerduty.json`, pretty(JSON.parse((await resolved('/pagerduty')).body)))
    await mailbox.holding(cases.length + 1)
    const { subject, text } = mailbox.mails.at(-1)!
    same(`over.email.txt`, `Subject: ${subject}\n\n${text}\n`)
  }, 60_000)

  test('what is over is not told of among what is not', async () => {
    const many = cases.find(({ name }) => name === 'many')!
    await post(many.alerts.slice(0, 1).map((alert) => ({ ...alert, endsAt: new Date().toISOString() })))
    const { body } = await recorder.fitting(({ path, body }) => path === '/slack' && body.includes(many.mark) && body.includes('(11 alerts)'))
    expect(body).not.toContain('bridge-00')
    expect(body).toContain('bridge-01')
  }, 60_000)

  async function post(alerts: Case['alerts'] | readonly object[]): Promise<void> {
    const answer = await fetch(`${alertmanager.url}/api/v2/alerts`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(alerts) })
    if (answer.status !== 200) throw new Error(`Alertmanager answers ${answer.status}: ${await answer.text()}`)
  }
})

/** Multi-line strings are lines, so that a change is seen where it is. */
function pretty(value: unknown): string {
  return `${JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'string' && inner.includes('\n') ? inner.split('\n') : inner), 2)}\n`
}

function same(name: string, text: string): void {
  const file = join(golden, name)
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(golden, { recursive: true })
    writeFileSync(file, text)
  }
  expect(text, name).toBe(readFileSync(file, 'utf8'))
}
