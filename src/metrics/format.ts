/**
 * The two text formats of /metrics, which of them a scraper asked for, and what differs between them in the
 * text of a library that writes only the older one.
 */
import promClient from 'prom-client'

export type Format = 'openmetrics' | 'classic'

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  openmetrics: promClient.Registry.OPENMETRICS_CONTENT_TYPE,
  classic: promClient.Registry.PROMETHEUS_CONTENT_TYPE,
}

/** Something else that /metrics shows after the series: whole families, each line ended, no `# EOF`. */
export interface ExpositionSource {
  text(format: Format): Promise<string>
}

/**
 * The format that an Accept header likes best: the one with the higher q, the earlier one among equals. Classic for
 * a client that says nothing or nothing we know (a browser, curl), as Prometheus's own libraries answer.
 */
export function negotiate(accept: string = ''): Format {
  let best: Format = 'classic'
  let bestQ = 0
  for (const range of accept.slice(0, 4096).split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const version = parameters.find((p) => p.startsWith('version='))?.slice(8).replaceAll('"', '')
    const format = formatOf(type, version)
    const q = Number(parameters.find((p) => p.startsWith('q='))?.slice(2) ?? 1)
    if (format !== undefined && q > bestQ) {
      best = format
      bestQ = q
    }
  }
  return best
}

/** OpenMetrics writes upper bounds as floats, `1.0`. Prometheus 3 makes them so whatever came, 2 does not; so write them so. */
export function boundText(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : `${bound}`
}

/** Classic text of whole families in the format asked for. */
export function fromClassic(text: string, format: Format): string {
  // An unescaped quote never stands inside a label value, so `le="` is the label and nothing else.
  const bounds = text.replace(/([{,]le=")(\d+)"/g, '$1$2.0"')
  if (format === 'classic') return bounds
  // OpenMetrics names a counter's family without the suffix of its samples, and allows no empty line.
  return bounds
    .replace(/^(# HELP \w+?)_total (?=.*\n# TYPE \w+ counter$)/gm, '$1 ')
    .replace(/^(# TYPE \w+?)_total counter$/gm, '$1 counter')
    .replace(/\n{2,}/g, '\n')
}

function formatOf(type: string, version: string | undefined): Format | undefined {
  if (type === 'application/openmetrics-text') return version === undefined || version === '1.0.0' || version === '0.0.1' ? 'openmetrics' : undefined
  if (type === 'text/plain' || type === 'text/*' || type === '*/*') return 'classic'
  return undefined
}
