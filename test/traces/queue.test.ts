import { expect, test } from 'vitest'
import { DeadlineQueue } from '../../src/traces/queue.ts'

test('rows come back in their order, those that were freed meanwhile as -1', () => {
  const generations = new Int32Array(4)
  const queue = new DeadlineQueue(generations)
  for (let row = 0; row < 4; row++) queue.push(row, 100 + row)
  generations[1]!++
  expect(queue.nextMs).toBe(100)
  expect([queue.take(), queue.take(), queue.take(), queue.take()]).toEqual([0, -1, 2, 3])
  expect(queue.nextMs).toBe(Infinity)
})

test('an entry is of the generation at which it was pushed', () => {
  const generations = new Int32Array(1)
  const queue = new DeadlineQueue(generations)
  queue.push(0, 1)
  generations[0]!++
  queue.push(0, 2)
  expect([queue.take(), queue.take()]).toEqual([-1, 0])
})

test('rows that are freed long before their deadline take no memory for it', () => {
  const generations = new Int32Array(500)
  const queue = new DeadlineQueue(generations)
  // Each row is used 200 times, and the last of each is still in use.
  for (let i = 0; i < 100_000; i++) {
    if (i >= 500) generations[i % 500]!++
    queue.push(i % 500, i)
  }
  expect(queue.capacity).toBe(1024)
  const rows = []
  while (queue.size > 0) {
    const deadline = queue.nextMs
    const row = queue.take()
    if (row >= 0) rows.push([row, deadline])
  }
  expect(rows).toEqual(Array.from({ length: 500 }, (_, row) => [row, 99_500 + row]))
})

test('more rows in use than there was room for are all kept, in their order', () => {
  const generations = new Int32Array(3000)
  const queue = new DeadlineQueue(generations)
  for (let row = 0; row < 3000; row++) queue.push(row, row)
  expect(queue.capacity).toBe(4096)
  for (let row = 0; row < 3000; row++) expect(queue.take()).toBe(row)
})
