/** The demo's people, against a bridge that takes their marks. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { People } from '../../src/demo/agents/people.ts'
import { Random } from '../../src/demo/agents/random.ts'
import type { Run } from '../../src/demo/agents/run.ts'
import { lostAnswer } from '../../src/demo/agents/words.ts'

const QUESTION = 'Review the change to the retry loop of the payments client.'
const run = (answer: string): Run => ({ agent: 'code_review_agent', service: 's', version: '1', tenant: 't', project: 'p', conversation: 'c', question: QUESTION, answer, steps: [] })

test('mark a part of the answers, mostly as these are, after a while', async () => {
  const marks: { trace_id: string; mark: number; evaluator: string }[] = []
  const bridge = createServer((request, response) => {
    let text = ''
    request.on('data', (part: Buffer) => (text += part.toString())).on('end', () => {
      marks.push(...(JSON.parse(text) as typeof marks))
      response.end('{}')
    })
  })
  await new Promise<void>((resolve) => bridge.listen(0, '127.0.0.1', resolve))
  const people = new People(`http://127.0.0.1:${(bridge.address() as AddressInfo).port}`, new Random(7))
  for (let n = 0; n < 400; n++) people.read(n.toString(16).padStart(32, '0'), run(n % 4 === 0 ? lostAnswer(QUESTION) : n % 4 === 1 ? '' : 'Two findings.'), n)
  people.tick(15_000 - 1)
  await people.stop()
  expect(marks).toEqual([])
  for (let n = 0; n < 5; n++) {
    people.tick(20_000)
    await people.stop()
  }
  bridge.close()
  expect(marks.length).toBeGreaterThan(40)
  expect(marks.length).toBeLessThan(120)
  const of = (kind: (n: number) => boolean) => marks.filter(({ trace_id }) => kind(parseInt(trace_id, 16) % 4)).map(({ mark }) => mark)
  const share = (all: number[], right: (mark: number) => boolean) => all.filter(right).length / all.length
  expect(of((n) => n === 1)).toEqual([])
  expect(share(of((n) => n === 0), (mark) => mark <= 2)).toBeGreaterThan(0.8)
  expect(share(of((n) => n > 1), (mark) => mark >= 4)).toBeGreaterThan(0.8)
  expect(marks.every(({ mark }) => Number.isInteger(mark) && mark >= 1 && mark <= 5)).toBe(true)
})

test('do not mind a bridge that is not there', async () => {
  const people = new People('http://127.0.0.1:1', new Random(7))
  for (let n = 0; n < 20; n++) people.read('a'.repeat(32), run('Two findings.'), 0)
  people.tick(20_000)
  await people.stop()
})
