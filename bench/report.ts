/** The figures as people read them. */
import type { Measurement } from './compare.ts'

export interface Row {
  readonly transport: string
  readonly encoding: 'plain' | 'gzip'
  readonly size: string
  readonly collector: Measurement
  readonly bridge: Measurement
  /** Spans per CPU-second, bridge to Collector. */
  readonly ratio: number
}

export const TARGET_RATIO: Record<Row['encoding'], number> = { plain: 4, gzip: 3 }

/** A table with a line per row, columns as wide as they need. */
export function table(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  return lines.map((line) => line.map((cell, column) => (column < 3 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ').trimEnd()).join('\n')
}

export function comparison(rows: readonly Row[]): string {
  const side = ({ spansPerSecond, spansPerCpuSecond, peakRssBytes, connections }: Measurement) => [thousands(spansPerSecond), thousands(spansPerCpuSecond), mebibytes(peakRssBytes), String(connections)]
  return table([
    ['over', 'body', 'batch', 'Collector: spans/s', 'spans/CPU-s', 'peak MiB', 'conns', 'bridge: spans/s', 'spans/CPU-s', 'peak MiB', 'conns', 'ratio', 'target'],
    ...rows.map((row) => [
      row.transport, row.encoding, row.size, ...side(row.collector), ...side(row.bridge), `${row.ratio.toFixed(2)}x`,
      `${TARGET_RATIO[row.encoding]}x ${holds(row) ? 'yes' : 'NO'}`,
    ]),
  ])
}

export function holds(row: Row): boolean {
  return row.ratio >= TARGET_RATIO[row.encoding]
}

export function thousands(n: number): string {
  return Math.round(n).toLocaleString('en-US')
}

export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}
