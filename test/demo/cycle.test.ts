import { expect, test } from 'vitest'
import { runCycles, TENANTS, type Stage } from '../../src/demo/cycle.ts'

/** A stage whose time passes only by waiting; a page comes and goes this long after the fault began. */
function stage(endSeconds: number, page: { afterSeconds: number; endsAfterSeconds: number }): { stage: Stage; events: string[]; lines: string[] } {
  const events: string[] = []
  const lines: string[] = []
  let seconds = 0
  let faultAt = Infinity
  const over = (): boolean => seconds >= endSeconds
  return {
    events, lines,
    stage: {
      play: (role, tenant) => {
        events.push(`${seconds}: ${role} ${tenant}`)
        if (role === 'failing') faultAt = seconds
        return () => events.push(`${seconds}: no ${role} ${tenant}`)
      },
      paged: () => Promise.resolve(seconds - faultAt >= page.afterSeconds && seconds - faultAt < page.endsAfterSeconds),
      wait: (wanted) => {
        seconds = Math.min(endSeconds, seconds + wanted)
        return Promise.resolve()
      },
      over, nowSeconds: () => seconds, tell: (line) => lines.push(line),
    },
  }
}

const options = { faultAfterSeconds: 30, pagerUrl: 'http://p/pager', pages: true }
const [first, second] = TENANTS

test('a fault lasts until it was paged, health until that is resolved, and then it is another tenant', async () => {
  const { stage: demo, events, lines } = stage(330, { afterSeconds: 25, endsAfterSeconds: 250 })
  await runCycles(demo, options)
  expect(events).toEqual([
    `0: affected ${first}`, `30: failing ${first}`, `60: no failing ${first}`, `280: no affected ${first}`,
    `280: affected ${second}`, `310: failing ${second}`, `330: no failing ${second}`, `330: no affected ${second}`,
  ])
  expect(lines).toEqual(expect.arrayContaining([expect.stringContaining('paged 25 s after the fault'), expect.stringContaining('resolved 250 s after')]))
})

test('a fault that is not paged ends, and is told', async () => {
  const { stage: demo, events, lines } = stage(400, { afterSeconds: Infinity, endsAfterSeconds: Infinity })
  await runCycles(demo, options)
  expect(events.slice(0, 4)).toEqual([`0: affected ${first}`, `30: failing ${first}`, `330: no failing ${first}`, `330: no affected ${first}`])
  expect(lines.join('\n')).toContain('no page 300 s after')
})

test('where no page can come, faults come and go by the clock', async () => {
  const { stage: demo, events, lines } = stage(160, { afterSeconds: 0, endsAfterSeconds: Infinity })
  await runCycles(demo, { ...options, pages: false })
  expect(events.slice(0, 4)).toEqual([`0: affected ${first}`, `30: failing ${first}`, `90: no failing ${first}`, `150: no affected ${first}`])
  expect(lines.join('\n')).toContain('agent_root_causes_total in /metrics')
  expect(lines.join('\n')).not.toContain('page')
})
