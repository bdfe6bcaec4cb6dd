/**
 * The process's own metrics, `process_*` and `nodejs_*`: memory, CPU, event-loop lag, garbage collection, as prom-client
 * collects them everywhere. Its registry renders each anew at a scrape; they are a few dozen lines.
 */
import promClient from 'prom-client'
import { fromClassic, type ExpositionSource, type Format } from './format.ts'

export class ProcessMetrics implements ExpositionSource {
  // Always classic: asked for OpenMetrics, a registry takes `_total` off its counters' names and never puts it back.
  readonly #registry = new promClient.Registry()

  constructor() {
    promClient.collectDefaultMetrics({ register: this.#registry })
    // Gauges with the suffix of a counter: `promtool check metrics` refuses them.
    for (const what of ['handles', 'requests', 'resources']) this.#registry.removeSingleMetric(`nodejs_active_${what}_total`)
  }

  async text(format: Format): Promise<string> {
    // A lag not yet measured is `Nan` to prom-client, which OpenMetrics does not know.
    return fromClassic((await this.#registry.metrics()).replace(/ Nan$/gm, ' NaN'), format)
  }
}
