/** The agents of `up`: recorded runs, played into the bridge over OTLP/HTTP as any agent would send them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { castOf } from '../../demo/cast.ts'
import type { Stage } from '../../demo/cycle.ts'
import { openExporter } from '../send/transport.ts'
import { newTally, play } from '../send/player.ts'
import type { Recording } from '../recorded/recording.ts'
import { loadRecordings } from '../recorded/recordings.ts'

export const RECORDINGS = fileURLToPath(new URL('../../../test/recordings', import.meta.url))

export interface Traffic {
  /** Begins to play; says what. */
  start(): string
  stage(pagerUrl: string): Omit<Stage, 'tell'>
  /** Resolves when every answer is there, after the stop. */
  ended(): Promise<unknown>
}

/** Tenants whose agents stay well. */
const STEADY = [{ name: 'globex', weight: 5 }, { name: 'umbrella', weight: 2 }, { name: 'soylent', weight: 1 }] as const
const STEADY_PER_SECOND = 8
/** Below the documented 500 ms of a request: this traffic breaks one objective, and only when it is meant to. */
const FAST_SECONDS = 0.45
const TIMEOUT_SECONDS = 30

export async function openTraffic(endpoint: string, stop: AbortSignal): Promise<Traffic> {
  const cast = castOf(RECORDINGS)
  const fast = (folders: readonly string[]) => loadRecordings(folders).filter(({ seconds }) => seconds < FAST_SECONDS)
  const runs = { healthy: fast(cast.healthy), affected: fast(cast.affected), failing: loadRecordings(cast.failing) }
  const exporter = await openExporter({ protocol: 'http/protobuf', endpoint: new URL(endpoint), gzip: false, headers: {}, timeoutSeconds: TIMEOUT_SECONDS })
  const playing: Promise<void>[] = []
  const begin = (recordings: readonly Recording[], rate: number, tenants: readonly { name: string; weight: number }[], until: AbortSignal): void => {
    const options = { rate, spansPerSecond: undefined, durationSeconds: undefined, loop: true, keepIds: false, keepTimes: false, tenants }
    playing.push(play(recordings, exporter, options, newTally(), until))
  }
  return {
    start: () => {
      begin(runs.healthy, STEADY_PER_SECOND, STEADY, stop)
      const frameworks = new Set(runs.healthy.map(({ name }) => name.split('/').at(-2)))
      return `${STEADY_PER_SECOND} recorded runs a second of ${frameworks.size} ways to instrument an agent, for ${STEADY.map(({ name }) => name).join(', ')}`
    },
    stage: (pagerUrl) => ({
      play: (role, tenant, perSecond) => {
        const ended = new AbortController()
        begin(runs[role], perSecond, [{ name: tenant, weight: 1 }], AbortSignal.any([stop, ended.signal]))
        return () => ended.abort()
      },
      paged: (tenant) => paged(pagerUrl, tenant),
      wait: (seconds) => sleep(seconds * 1000, undefined, { signal: stop }).catch(() => undefined),
      over: () => stop.aborted,
      nowSeconds: () => performance.now() / 1000,
    }),
    ended: () => Promise.all(playing).finally(() => exporter.close()),
  }
}

interface Incidents {
  readonly incidents: readonly { readonly pages: readonly { readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[] }[] }[]
}

/** As a program asks the pager. */
async function paged(pagerUrl: string, tenant: string): Promise<boolean> {
  const response = await fetch(`${pagerUrl}/api/incidents?state=firing&limit=100`)
  const { incidents } = await response.json() as Incidents
  return incidents.flatMap(({ pages }) => pages).some(({ alerts }) => alerts.some(({ status, labels }) => status === 'firing' && labels['tenant_id'] === tenant && labels['objective'] === 'success_rate'))
}
