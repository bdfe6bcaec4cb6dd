/** What happens in the demo, over and over: a tenant is well, its tool fails, a page comes, the tool works again, the page resolves. */

/** The demo's means; time is among them. */
export interface Stage {
  /** Plays runs of a tenant until the returned function is called. */
  play(role: 'affected' | 'failing', tenant: string, perSecond: number): () => void
  /** Whether a page about the tenant's success rate is open. */
  paged(tenant: string): Promise<boolean>
  /** Resolves early when the demo is over. */
  wait(seconds: number): Promise<void>
  over(): boolean
  nowSeconds(): number
  tell(line: string): void
}

export interface CycleOptions {
  readonly faultAfterSeconds: number
  /** Where to look. */
  readonly pagerUrl: string
  /** False where Prometheus or Alertmanager cannot be had: the faults then only show in /metrics. */
  readonly pages: boolean
}

/**
 * A tenant of its own for each cycle. A burn-rate alert looks back for hours: with one tenant for all of them, the second fault
 * would have to last until it weighs in an hour of healthy traffic, and the demo would slow down from one page to the next.
 */
export const TENANTS = ['acme', 'initech', 'hooli', 'wonka', 'stark', 'wayne', 'tyrell', 'cyberdyne', 'oscorp', 'aperture', 'vandelay', 'dunder'] as const

/** A page needs 7 % bad, its end 3 %: few failing runs among many healthy ones cross both within minutes. */
const HEALTHY_PER_SECOND = 8
const FAILING_PER_SECOND = 2
/** The fault lasts until the page has come, and then this long, for a look at it while it is going on. */
const FAULT_GOES_ON_SECONDS = 5
const LONGEST_FAULT_SECONDS = 300
const LONGEST_RECOVERY_SECONDS = 1200
/** Without pages there is nothing to wait for. */
const BLIND_SECONDS = 60
const POLL_SECONDS = 1

/** Resolves when the demo is over. */
export async function runCycles(stage: Stage, options: CycleOptions): Promise<void> {
  for (let n = 0; !stage.over(); n++) await cycle(stage, TENANTS[n % TENANTS.length]!, options)
}

async function cycle(stage: Stage, tenant: string, { faultAfterSeconds, pagerUrl, pages }: CycleOptions): Promise<void> {
  const stopHealthy = stage.play('affected', tenant, HEALTHY_PER_SECOND)
  stage.tell(`${tenant} is well; in ${faultAfterSeconds} s one of its tools begins to fail`)
  await stage.wait(faultAfterSeconds)
  if (!stage.over()) await fault(stage, tenant, pagerUrl, pages)
  stopHealthy()
}

async function fault(stage: Stage, tenant: string, pagerUrl: string, pages: boolean): Promise<void> {
  const sinceSeconds = stage.nowSeconds()
  const seconds = () => Math.round(stage.nowSeconds() - sinceSeconds)
  const stopFailing = stage.play('failing', tenant, FAILING_PER_SECOND)
  stage.tell(`fault: a tool of ${tenant} answers 503${pages ? `; the page comes within a minute, on ${pagerUrl}` : '; agent_root_causes_total in /metrics names it'}`)
  const came = pages ? await until(stage, true, tenant, LONGEST_FAULT_SECONDS) : await stage.wait(BLIND_SECONDS)
  if (came) {
    stage.tell(`paged ${seconds()} s after the fault began: what broke, which step, what to do first is on ${pagerUrl}`)
    await stage.wait(FAULT_GOES_ON_SECONDS)
  } else if (pages && !stage.over()) stage.tell(`no page ${seconds()} s after the fault began: the logs of Prometheus and Alertmanager may say why`)
  stopFailing()
  if (stage.over()) return
  stage.tell(`the tool of ${tenant} works again${came ? '; the page resolves when the failures are less than 3 % of the last half hour, in some minutes' : ''}`)
  if (!came) return stage.wait(pages ? 0 : BLIND_SECONDS)
  const resolved = await until(stage, false, tenant, LONGEST_RECOVERY_SECONDS)
  if (resolved) stage.tell(`resolved ${seconds()} s after the fault began`)
}

async function until(stage: Stage, wanted: boolean, tenant: string, longestSeconds: number): Promise<boolean> {
  const endSeconds = stage.nowSeconds() + longestSeconds
  while (!stage.over() && stage.nowSeconds() < endSeconds) {
    if ((await stage.paged(tenant)) === wanted) return true
    await stage.wait(POLL_SECONDS)
  }
  return false
}
