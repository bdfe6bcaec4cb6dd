import { describe, expect, test } from 'vitest'
import { PAGER_LIMITS } from '../../src/pager/notification.ts'
import { cutText, readNotification, UnreadableNotification } from '../../src/pager/webhook.ts'
import { alert, payload, resolved } from './fixtures.ts'

const read = (body: unknown, limits = {}) => readNotification(body, { ...PAGER_LIMITS, ...limits })

describe('a webhook body of Alertmanager', () => {
  test('is read with nanosecond times, and the zero time as unknown', () => {
    const notification = read(payload())
    expect(notification).toMatchObject({
      status: 'firing', receiver: 'pager', reason: 'first notification', externalUrl: 'http://alertmanager:9093', omittedAlerts: 0,
      groupKey: '{}/{agent!=""}:{alertname="AgentSuccessRateLow"}',
    })
    expect(notification.alerts[0]).toMatchObject({ startsAtMs: Date.parse('2026-11-23T17:54:12.345Z'), endsAtMs: null, fingerprint: '1a30ba71cca2921f' })
    expect(notification.alerts[0]?.labels['name']).toBe('lookup_order')
  })

  test('may come from an older version, with null maps and unknown keys', () => {
    const { notification_reason: _reason, truncatedAlerts: _truncated, ...old } = payload()
    const notification = read({ ...old, commonLabels: null, surprise: { any: 'thing' }, alerts: [{ ...alert(), annotations: null, fingerprint: undefined }] })
    expect(notification.reason).toBe('')
    expect(notification.alerts[0]?.annotations).toEqual({})
    expect(notification.alerts[0]?.fingerprint).toMatch(/^[0-9a-f]{64}$/)
  })

  test.each([
    ['no object at all', [], 'body'],
    ['null', null, 'body'],
    ['another version', payload({ version: '3' }), 'version'],
    ['no group key', payload({ groupKey: '' }), 'groupKey'],
    ['a status that is none', payload({ status: 'burning' }), 'status'],
    ['no alerts', payload({ alerts: [] }), 'alerts'],
    ['a label that is no text', payload({ alerts: [{ ...alert(), labels: { severity: 1 } }] }), 'alerts[0].labels.severity'],
    ['a time that is none', payload({ alerts: [alert(), { ...alert(), startsAt: 'yesterday' }] }), 'alerts[1].startsAt'],
    ['a negative count', payload({ truncatedAlerts: -1 }), 'truncatedAlerts'],
  ])('is refused, naming the key: %s', (_what, body, key) => {
    expect(() => read(body)).toThrow(UnreadableNotification)
    expect(() => read(body)).toThrow(`cannot read notification: ${key}: `)
  })

  test('with a thousand mistakes is refused in a short text', () => {
    const labels = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`key${n}`.repeat(20), n]))
    const error = (() => { try { return read(payload({ alerts: [{ ...alert(), labels }] })) } catch (caught) { return caught as Error } })()
    expect(error).toBeInstanceOf(UnreadableNotification)
    expect((error as Error).message.length).toBeLessThan(1200)
    expect((error as Error).message).toContain('and 997 more')
  })
})

describe('limits', () => {
  test('values, labels and alerts are cut, the firing alerts kept, what is left out counted', () => {
    const alerts = [resolved('2026-11-23T17:59:00Z', { fingerprint: 'r' }), alert({ fingerprint: 'f', labels: { name: 'n'.repeat(10_000) } }), alert({ fingerprint: 'g' })]
    const notification = read(payload({ truncatedAlerts: 7 }, alerts), { alertsPerPage: 2, textLength: 100, labelsPerAlert: 9 })
    expect(notification.alerts.map((one) => one.fingerprint)).toEqual(['f', 'g'])
    expect(notification.omittedAlerts).toBe(8)
    expect(notification.alerts[0]?.labels['name']).toHaveLength(100)
    expect(Object.keys(notification.alerts[0]?.labels ?? {})).toHaveLength(9)
  })

  test('two long group keys that differ at the end stay two', () => {
    const key = (end: string) => read(payload({ groupKey: 'k'.repeat(5_000) + end })).groupKey
    expect(key('a')).not.toBe(key('b'))
    expect(key('a').length).toBeLessThan(2_100)
  })

  test('a cut never leaves half a character', () => {
    for (const length of [2, 3, 4, 5]) expect(cutText('🔥🔥🔥🔥', length).isWellFormed()).toBe(true)
  })

  test('labels that look like parts of JavaScript objects are only labels', () => {
    const body = JSON.parse(JSON.stringify(payload()).replace('"tenant_id":"acme"', '"__proto__":"x","constructor":"y"')) as unknown
    expect(() => read(body)).not.toThrow()
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })
})
