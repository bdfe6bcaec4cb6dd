/** Sums over all series by metric name, from the classic Prometheus text at `url`. A counter may be written with or without `_total`. */
export async function counters(url: string): Promise<Map<string, number>> {
  const response = await fetch(url, { headers: { accept: 'text/plain' } })
  if (!response.ok) throw new Error(`cannot read ${url}: status ${response.status}`)
  const sums = new Map<string, number>()
  for (const line of (await response.text()).split('\n')) {
    const name = /^[a-zA-Z_:][\w:]*/.exec(line)?.[0]
    if (name === undefined) continue
    // A label value may hold a brace and a space: the value is what stands after the last of them.
    const value = Number(line.slice(line.lastIndexOf(' ') + 1))
    if (Number.isFinite(value)) sums.set(name, (sums.get(name) ?? 0) + value)
  }
  return sums
}
