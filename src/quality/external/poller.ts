/** Asks a source for new scores again and again: page after page while there are more, then after a pause; after an error later and later, or when the source says. */
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../../web/reach.ts'
import type { Progress } from './progress.ts'
import { TryLater, type FoundScore, type ScoreSource } from './source.ts'

export interface PollerOptions {
  readonly source: ScoreSource
  /** Tells sources of one kind apart in what is remembered. */
  readonly key: string
  readonly everySeconds: number
  /** After the first error; twice as long after each more. */
  readonly backoffSeconds?: number
  readonly progress: Progress
  readonly take: (score: FoundScore) => void
  /** A score that was told before. */
  readonly again: () => void
  readonly polled: (failed: boolean) => void
  /** Takes a sentence for a person when polling begins to fail, and when it works again. */
  readonly tell: (message: string) => void
  readonly now: () => number
  readonly random: () => number
}

const BACKOFF_SECONDS = 5
const LONGEST_BACKOFF_SECONDS = 600
/** A source that asks for more than this is asked again all the same: it may have meant something else. */
const LONGEST_ASKED_SECONDS = 3600
/** Between pages: Braintrust answers 20 requests a minute on its smaller plans. */
const BETWEEN_PAGES_MS = 3000

export interface Poller {
  stop(): Promise<void>
}

export function startPoller(options: PollerOptions): Poller {
  const stopping = new AbortController()
  const running = run(options, stopping.signal)
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}

async function run(options: PollerOptions, signal: AbortSignal): Promise<void> {
  const { source, everySeconds, backoffSeconds = BACKOFF_SECONDS, polled, tell, random } = options
  let failures = 0
  /** Counted, and not remembered because the database could not be written. */
  const counted = new Set<string>()
  while (!signal.aborted) {
    let pauseMs: number
    try {
      const more = await poll(options, counted, signal)
      if (failures > 0) tell(`scores of ${source.name} come again`)
      failures = 0
      polled(false)
      pauseMs = more ? BETWEEN_PAGES_MS : everySeconds * 1000
    } catch (error) {
      if (signal.aborted) return
      polled(true)
      if (++failures === 1) tell(`cannot read scores of ${source.name}: ${reasonOf(error)}`)
      const backoff = Math.min(LONGEST_BACKOFF_SECONDS, backoffSeconds * 2 ** (failures - 1)) * (0.5 + random() / 2)
      pauseMs = 1000 * (error instanceof TryLater ? Math.min(LONGEST_ASKED_SECONDS, Math.max(error.seconds, 1)) : backoff)
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => {})
  }
}

/** One page; whether there is another. */
async function poll({ source, key, progress, take, again, now }: PollerOptions, counted: Set<string>, signal: AbortSignal): Promise<boolean> {
  const page = await source.page(progress.cursor(key), now(), signal)
  const fresh = [...new Map(page.scores.map((score) => [score.id, score])).values()].filter(({ id }) => !counted.has(id) && !progress.seen(key, id))
  for (let i = fresh.length; i < page.scores.length; i++) again()
  // Counted first and remembered then: what is told again after a crash in between is counted again, and nothing is missed.
  for (const score of fresh) {
    take(score)
    counted.add(score.id)
  }
  progress.commit(key, page.cursor, [...counted])
  counted.clear()
  return page.more
}
