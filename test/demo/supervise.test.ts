import { expect, test, vi } from 'vitest'
import { supervise, type Program } from '../../src/demo/supervise.ts'

function programs() {
  const ends: ((how: string) => void)[] = []
  let stops = 0
  const start = (): Promise<Program> => {
    const { promise, resolve } = Promise.withResolvers<string>()
    ends.push(resolve)
    return Promise.resolve({ url: `http://p${ends.length}`, ended: promise, stop: () => Promise.resolve(void stops++) })
  }
  return { start, ends, stops: () => stops }
}

function watcher() {
  const told: string[] = []
  return { told, ready: ({ url }: Program) => void told.push(`ready ${url}`), trouble: (reason: string) => void told.push(reason) }
}

test('a program that ends is told of and started again, and stopped when it is over', async () => {
  const { start, ends, stops } = programs()
  const seen = watcher()
  const over = new AbortController()
  const { up, gone } = supervise(start, seen, over.signal, 0)
  expect(await up).toBe(true)
  ends[0]!('SIGKILL')
  await vi.waitUntil(() => seen.told.length === 3)
  expect(seen.told).toEqual(['ready http://p1', 'ended with SIGKILL; starting it again', 'ready http://p2'])
  over.abort()
  await gone
  expect(stops()).toBe(1)
})

test('one that keeps ending is given up', async () => {
  const { start, ends } = programs()
  const seen = watcher()
  const { gone } = supervise(() => start().then((program) => (ends.at(-1)!('code 1'), program)), seen, new AbortController().signal, 0)
  await gone
  expect(ends).toHaveLength(5)
  expect(seen.told.at(-1)).toBe('ended with code 1; not starting it a sixth time')
})

test('one that cannot be started is told of, and is not up', async () => {
  const seen = watcher()
  const { up, gone } = supervise(() => Promise.reject(new Error('cannot start p: 127.0.0.1:9090 is in use')), seen, new AbortController().signal)
  expect(await up).toBe(false)
  await gone
  expect(seen.told).toEqual(['cannot start p: 127.0.0.1:9090 is in use'])
})

test('one that ends because all of it ends is not started again', async () => {
  const { start, ends } = programs()
  const seen = watcher()
  const over = new AbortController()
  const { up, gone } = supervise(start, seen, over.signal)
  await up
  // Ctrl-C reaches the child first.
  ends[0]!('SIGINT')
  await Promise.resolve()
  over.abort()
  await gone
  expect(ends).toHaveLength(1)
  expect(seen.told).toEqual(['ready http://p1'])
})
