/** What a running process has used, from Linux's /proc: the same source for a Go and for a Node program. */
import { readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'

let ticksPerSecond: number | undefined

/** User and system CPU-seconds of all threads of a process since its start, ended threads included. In steps of 10 ms. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the name in parentheses, which may hold spaces. After it: state is 3, utime 14, stime 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

export interface Memory {
  readonly rssBytes: number
  /** The most that `rssBytes` has been. */
  readonly peakBytes: number
}

export function memory(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return { rssBytes: kibibytes(status, 'VmRSS') * 1024, peakBytes: kibibytes(status, 'VmHWM') * 1024 }
}

function kibibytes(status: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
  if (found === undefined) throw new Error(`cannot read memory: /proc has no ${name}`)
  return Number(found)
}
