/** Scores from elsewhere: the endpoint, and the sources that are configured. */
import { readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { Router } from 'express'
import type { ScoresConfig, SourceConfig } from '../../config/scores.ts'
import type { Calibration } from '../calibration/calibration.ts'
import { braintrustSource } from './braintrust.ts'
import { scoreRoutes } from './endpoint.ts'
import { Intake, type IntakeOptions } from './intake.ts'
import { langsmithSource } from './langsmith.ts'
import { startPoller } from './poller.ts'
import { openProgress } from './progress.ts'
import type { ScoreSource } from './source.ts'

export interface External {
  readonly intake: Intake
  readonly router: Router
  readonly health: ExternalHealth
  stop(): Promise<void>
}

export interface ExternalHealth {
  readonly received: Readonly<Record<string, number>>
  readonly duplicates: number
  readonly polls: Readonly<Record<string, number>>
  readonly pollErrors: Readonly<Record<string, number>>
  /** Seconds since each configured source was last read. */
  readonly pollAge: Readonly<Record<string, number>>
}

export interface ExternalOptions extends IntakeOptions {
  readonly config: ScoresConfig
  readonly database: DatabaseSync
  readonly calibration: Calibration
  readonly tell: (message: string) => void
  readonly now: () => number
}

/** Throws when a file with a key or the token cannot be read. */
export function openExternal(options: ExternalOptions): External {
  const { config, database, calibration, tell, now } = options
  const progress = openProgress(database)
  const intake = new Intake(options)
  const sources = sourcesOf(config)
  const polls: Record<string, number> = Object.fromEntries(sources.map(({ source }) => [source.name, 0]))
  const pollErrors = { ...polls }
  const lastRead = new Map(sources.map(({ key }) => [key, now()]))
  const token = config.tokenFile === undefined ? () => undefined : keyIn(config.tokenFile, 'scores.tokenFile')
  const pollers = sources.map(({ source, key, everySeconds }) => startPoller({
    source, key, everySeconds, progress, tell, now, random: Math.random,
    take: (score) => { intake.take(score, source.name, now()) },
    again: () => { intake.duplicates++ },
    polled: (failed) => {
      polls[source.name]!++
      if (failed) pollErrors[source.name]!++
      else lastRead.set(key, now())
    },
  }))
  return {
    intake,
    router: scoreRoutes({ intake, progress, calibration, token, now }),
    health: {
      received: intake.received, polls, pollErrors,
      get duplicates() { return intake.duplicates },
      get pollAge() {
        const ages: Record<string, number> = {}
        for (const { source, key } of sources) ages[source.name] = Math.max(ages[source.name] ?? 0, (now() - lastRead.get(key)!) / 1000)
        return ages
      },
    },
    async stop() {
      await Promise.all(pollers.map((poller) => poller.stop()))
    },
  }
}

function sourcesOf({ langsmith, braintrust, rememberSeconds }: ScoresConfig): { readonly source: ScoreSource; readonly key: string; readonly everySeconds: number }[] {
  const common = ({ url, apiKeyFile }: SourceConfig, name: string) => ({ url, apiKey: keyIn(apiKeyFile, `scores.${name}.apiKeyFile`) })
  return [
    ...(langsmith === undefined ? [] : [{ source: langsmithSource({ ...common(langsmith, 'langsmith'), projects: langsmith.projects }), key: `langsmith ${langsmith.url} ${langsmith.projects.join()}`, everySeconds: langsmith.everySeconds }]),
    ...(braintrust === undefined ? [] : braintrust.projects.map((project) => ({
      source: braintrustSource({ ...common(braintrust, 'braintrust'), project, rememberMs: rememberSeconds * 1000 }), key: `braintrust ${braintrust.url} ${project}`, everySeconds: braintrust.everySeconds,
    }))),
  ]
}

/** Read again for each use, so that a rotated key is used; the first time now, so that a wrong path stops the start. */
function keyIn(file: string, key: string): () => string {
  const read = () => {
    let text: string
    try {
      text = readFileSync(file, 'utf8').trim()
    } catch (error) {
      throw new Error(`cannot read ${key}: ${(error as Error).message}`, { cause: error })
    }
    // A header takes one line of printable characters. The text itself is in no message.
    if (!/^[\x21-\x7e]{1,4096}$/.test(text)) throw new Error(`cannot read ${key}: expected a key on one line`)
    return text
  }
  read()
  return read
}
