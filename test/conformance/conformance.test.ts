/** Every recording of a real agent: what /metrics shows is what happened. */
import { describe, expect, test } from 'vitest'
import { observed, play, recordings, type Observed } from './recordings.ts'
import { expected, UNOBSERVABLE, type Field } from './unobservable.ts'

const all = recordings()
const once = new Map(all.map((recording) => [recording.name, lazily(() => observed(play(recording.bodies)))]))

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}

function shown(o: Observed): Record<Field, number | string> {
  return {
    model_calls: o.model_calls, tool_calls: o.tool_calls, retrievals: o.retrievals, input: o.input, output: o.output,
    requests: o.requests, errors: o.errors.join(), failed: o.outcomes['error']!,
  }
}

describe('what is counted is what happened', () => {
  test.each(all.map((recording) => [recording.name, recording] as const))('%s', (_name, recording) => {
    const o = once.get(recording.name)!()
    const { why, ...truth } = expected(recording, o)
    expect(shown(o), why).toEqual(truth)
  })
})

describe('avoidable cost', () => {
  const reasons = (name: string) => Object.keys(once.get(name)!().avoidable)

  test('there is none where a run ended well, without an error and within fifty messages', () => {
    const well = all.filter(({ truth }) => truth.outcomes.length > 0 && truth.outcomes.every(({ ok }) => ok) && truth.errors.length === 0 && truth.max_messages_in_call <= 50)
    expect(well.length).toBeGreaterThan(100)
    expect(well.map(({ name }) => name).filter((name) => reasons(name).length > 0)).toEqual([])
  })

  test('the long conversations are told of by their length, and where cached tokens are told by what was not cached', () => {
    const told = all.filter(({ scenario }) => scenario === 'long_conversation').flatMap(({ name }) => reasons(name))
    expect(told.filter((reason) => reason === 'context_bloat').length).toBeGreaterThan(8)
    expect(told.filter((reason) => reason === 'cache_miss').length).toBeGreaterThan(8)
    expect([...new Set(told)].sort()).toEqual(['cache_miss', 'context_bloat'])
  })

  test('any other is of a run that failed, or was left by its caller', () => {
    const others = all.filter(({ name, scenario }) => scenario !== 'long_conversation' && reasons(name).length > 0)
    for (const { name, truth } of others) expect([reasons(name), truth.outcomes.length === 0 || truth.outcomes.some(({ ok }) => !ok)], name).toEqual([['abandoned'], true])
  })
})

describe('whatever the order and however often it is sent', () => {
  test.each(all.map((recording) => [recording.name, recording] as const))('%s', (name, { bodies }) => {
    // One body has one order.
    if (bodies.length > 1) expect(observed(play([...bodies].reverse()))).toEqual(once.get(name)!())
    expect(observed(play([...bodies, ...bodies]))).toEqual(once.get(name)!())
  })
})

test('every exception is about a recording, and differs from the truth', () => {
  for (const { recordings: pattern, is } of UNOBSERVABLE) {
    const about = all.filter(({ name }) => pattern.test(name))
    expect(about, String(pattern)).not.toEqual([])
    for (const { name, truth, observable } of about) {
      const told: Record<Field, number | string | undefined> = {
        model_calls: truth.model_calls, tool_calls: truth.tool_calls, retrievals: truth.retrievals, input: truth.tokens.input, output: truth.tokens.output,
        requests: truth.agent_runs, errors: truth.errors.map((e) => e.class).sort().join(), failed: truth.outcomes.filter(({ ok }) => !ok).length,
      }
      for (const [field, value] of Object.entries(is)) expect(`${name} ${field} ${told[field as Field]} ${field in observable}`).not.toBe(`${name} ${field} ${value} false`)
    }
  }
})
