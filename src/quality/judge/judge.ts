/**
 * The judge layer: some of the settled requests are marked by a model, beside the bridge's work and never in its way.
 *
 *     settled ─select→ queue ─→ worker: redact → prompt → reserve → call → settle ─mark→ engine.score
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { JudgeConfig } from '../../config/judge.ts'
import type { ModelPrice } from '../../cost/price.ts'
import { Outcome, type Settled } from '../../traces/settled.ts'
import { Breaker } from './breaker.ts'
import { Budget } from './budget.ts'
import type { Case } from './case.ts'
import { caseOf } from './content.ts'
import { breakerGauge, JudgeCounts, type JudgeHealth } from './counts.ts'
import { keyOf } from './key.ts'
import { openLedger } from './ledger.ts'
import type { Mark } from './mark.ts'
import type { Provider } from './provider.ts'
import { CaseQueue } from './queue.ts'
import { loadHook } from './redact.ts'
import { readRubric, SHIPPED_RUBRIC } from './rubric.ts'
import { Selection, type Why } from './selection.ts'
import { judge, type WorkerOptions } from './worker.ts'

export interface Judge {
  /** Takes what it needs of a settled request, if it is one to judge. */
  offer(settled: Settled, nowMs: number): void
  /** Judges what waits, within the limit; the rest is counted. */
  stop(limitMs: number): Promise<void>
  readonly health: JudgeHealth
}

export interface JudgeDependencies {
  /** Of the number of a string. */
  readonly text: (id: number) => string
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly price: (provider: string, model: string, atMs: number) => ModelPrice | undefined
  readonly score: (trace: string, score: { readonly evaluator: string; readonly value: number; readonly layer: 'judge' }, nowMs: number) => void
  readonly took: (seconds: number) => void
  /** Takes a sentence for a person when the judge begins to fail, and when it works again. */
  readonly tell: (message: string) => void
}

/** Failures in a row, which is some dozens of seconds, before an endpoint is left alone. */
const BREAKER = { failures: 5, openMs: 15_000, longestOpenMs: 300_000 }
const TRIES = 4
/** A mark that comes later than this finds nobody who waits for it. */
const LONGEST_WAIT_MS = 3_600_000

/** Throws what is wrong with the key, the rubric, the price or the redaction: later each would be a failure of every request. */
export async function openJudge(config: JudgeConfig, dependencies: JudgeDependencies): Promise<Judge> {
  const options = await workerOptions(config, dependencies)
  const ledger = openLedger(join(dependencies.dataDir, 'judge.db'))
  return new RunningJudge(config, { ...options, budget: new Budget(config, ledger) }, dependencies, () => ledger.close())
}

/** All that judging takes but a budget. */
export async function workerOptions(config: JudgeConfig, { env, price, took, tell }: Pick<JudgeDependencies, 'env' | 'price' | 'took' | 'tell'>): Promise<Omit<WorkerOptions, 'budget'>> {
  const priceAt = (atMs: number) => price(config.provider === 'anthropic' ? 'anthropic' : config.baseUrl === undefined ? 'openai' : '', config.model, atMs)
  if (priceAt(Date.now()) === undefined) throw new Error(`cannot start the judge: no price is known for the model ${JSON.stringify(config.model)}, so that nothing keeps it within its budget; give it one in the file that pricing names`)
  const provider = await providerOf(config, env)
  const hook = config.redact === undefined ? undefined : await loadHook(pathToFileURL(config.redact).href)
  return {
    provider, price: priceAt, took,
    redact: { builtIn: config.redactBuiltIn, patterns: config.redactPatterns, hook },
    breaker: new Breaker(BREAKER), counts: new JudgeCounts(),
    maxTokens: config.maxTokens, timeoutMs: config.timeoutSeconds * 1000, tries: TRIES,
    now: Date.now, random: Math.random,
    tell: teller(config.model, tell),
  }
}

/** A failure is told at most so often, and that it is over when it was told. */
const TELL_EVERY_MS = 60_000

function teller(model: string, tell: (message: string) => void): WorkerOptions['tell'] {
  let failing = false
  let toldMs = -Infinity
  return (failure) => {
    if (failing === (failure !== undefined) || (failure !== undefined && Date.now() - toldMs < TELL_EVERY_MS)) return
    failing = failure !== undefined
    if (failing) toldMs = Date.now()
    tell(failure === undefined ? 'the judge answers again' : `cannot ask the judge (${model}): ${failure}`)
  }
}

/** The SDKs are imported here and nowhere earlier: they take time and memory that only a judge needs. */
async function providerOf(config: JudgeConfig, env: JudgeDependencies['env']): Promise<Provider> {
  const { model, baseUrl, maxTokens } = config
  const options = { model, baseUrl, maxTokens, key: keyOf(config, env), timeoutMs: config.timeoutSeconds * 1000 }
  if (config.provider === 'autoevals') return (await import('./autoevals.ts')).autoevals(options, config)
  const rubric = readRubric(config.rubric ?? SHIPPED_RUBRIC)
  if (config.provider === 'anthropic') return (await import('./anthropic.ts')).anthropic(options, rubric)
  return (await import('./openai.ts')).openai(options, rubric)
}

/** Marks of requests that were chosen for something about them say nothing of all requests: they are an evaluator of their own. */
export function evaluatorName({ evaluator }: Provider, why: Why): string {
  return why === 'sample' ? evaluator : `${evaluator}:${why}`
}

class RunningJudge implements Judge {
  readonly health: JudgeHealth
  readonly #options: WorkerOptions
  readonly #dependencies: JudgeDependencies
  readonly #selection: Selection
  readonly #queue: CaseQueue
  readonly #concurrency: number
  readonly #close: () => void
  readonly #stopping = new AbortController()
  readonly #ended = new AbortController()
  readonly #running = new Set<Promise<void>>()

  constructor(config: JudgeConfig, options: WorkerOptions, dependencies: JudgeDependencies, close: () => void) {
    this.#options = options
    this.#dependencies = dependencies
    this.#selection = new Selection({ share: config.share, always: config.always, lowUnitScore: config.lowUnitScore, newVersionMs: config.newVersionSeconds * 1000 }, dependencies.text)
    this.#queue = new CaseQueue(config.queueLimit)
    this.#concurrency = config.concurrency
    this.#close = close
    this.health = healthOf(options, config.usdPerDay, this.#queue, this.#running)
  }

  offer(settled: Settled, nowMs: number): void {
    const why = this.#selection.why(settled, nowMs)
    if (why === undefined) return
    const { counts } = this.#options
    counts.selected[why]++
    const one = caseOf(settled, why, this.#dependencies.text)
    // A request that did not succeed may have answered nothing.
    if (one === undefined) counts.skipped[settled.outcome === Outcome.success ? 'no_content' : 'no_answer']++
    else if (this.#stopping.signal.aborted) counts.skipped.shutdown++
    else if (!this.#queue.add(one, nowMs)) counts.skipped.queue_full++
    else this.#start()
  }

  async stop(limitMs: number): Promise<void> {
    this.#stopping.abort()
    const limit = setTimeout(() => this.#ended.abort(), limitMs)
    this.#start()
    await Promise.all(this.#running)
    clearTimeout(limit)
    this.#close()
  }

  /** Each takes its first request at once, so that none is begun for nothing. */
  #start(): void {
    while (this.#running.size < this.#concurrency && this.#queue.length > 0) {
      const run = this.#run().finally(() => this.#running.delete(run))
      this.#running.add(run)
    }
  }

  async #run(): Promise<void> {
    for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take()) {
      const { counts, provider, now } = this.#options
      if (now() - next.sinceMs > LONGEST_WAIT_MS) {
        counts.skipped.too_late++
        continue
      }
      const outcome = await judge(next.one, this.#options, { stopping: this.#stopping.signal, ended: this.#ended.signal })
      if (typeof outcome === 'string') counts.skipped[outcome]++
      else this.#marked(next.one, outcome, evaluatorName(provider, next.one.why))
    }
  }

  #marked({ trace }: Case, { value }: Mark, evaluator: string): void {
    this.#options.counts.marks++
    this.#dependencies.score(trace, { evaluator, value, layer: 'judge' }, this.#options.now())
  }
}

function healthOf({ counts, budget, breaker, now }: WorkerOptions, budgetUsd: number, queue: CaseQueue, running: ReadonlySet<unknown>): JudgeHealth {
  const { selected, skipped, errors, tokens } = counts
  return {
    selected, skipped, errors, tokens, budgetUsd,
    get marks() { return counts.marks },
    get calls() { return counts.calls },
    get usd() { return counts.usd },
    get usedUsd() { return budget.usedUsd(now()) },
    get queued() { return queue.length },
    get running() { return running.size },
    get breaker() { return breakerGauge(breaker.state(now())) },
  }
}

