/** Reads Prometheus' text format and OpenMetrics as `doctor` needs them: samples with labels. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?\s+(\S+)/
const LABEL = /([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"/g

export function readSamples(text: string): Sample[] {
  return text.split('\n').flatMap((line): Sample[] => {
    const match = line.startsWith('#') ? null : LINE.exec(line)
    if (match === null) return []
    const pairs = [...(match[2] ?? '').matchAll(LABEL)].map(([, key, value]) => [key!, unescape(value!)] as const)
    return [{ name: match[1]!, labels: Object.fromEntries(pairs), value: Number(match[3]) }]
  })
}

/** The sum of a metric's samples that have these labels. */
export function sum(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return samples.reduce((total, sample) => {
    const fits = sample.name === name && Object.entries(labels).every(([key, value]) => (sample.labels[key] ?? '') === value)
    return fits ? total + sample.value : total
  }, 0)
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}
