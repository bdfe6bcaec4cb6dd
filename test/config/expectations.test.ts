import { expect, test } from 'vitest'
import { checkExpectations } from '../../src/config/expectations.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { parseYaml } from '../../src/config/yaml.ts'

function problems(text: string): string[] {
  try {
    checkExpectations(parseYaml('expectations.yaml', text))
  } catch (error) {
    if (error instanceof ConfigError) return [...error.problems]
    throw error
  }
  return []
}
/** Of one check, without its place. */
const wrong = (check: string) => problems(`tools: [{match: t, checks: [{name: c, ${check}}]}]`).map((problem) => problem.replace('expectations.yaml:1: tools[0].checks[0]', ''))

test('every problem names its file, line and key', () => {
  expect(problems(`
tools:
  - match: lookup
    check: []
    checks:
      - name: one
        equal: 1
      - name: one
        min: 5
        max: 1
agents:
  - match: "a*b*c*d*"
    checks: []
`)).toEqual([
    'expectations.yaml:4: tools[0].check: unknown key; did you mean "checks"?',
    'expectations.yaml:6: tools[0].checks[0]: expected one of equals, matches, matchesNot, schema, or min and max',
    'expectations.yaml:7: tools[0].checks[0].equal: unknown key; did you mean "equals"?',
    'expectations.yaml:10: tools[0].checks[1].max: expected at least min (5), got 1',
    'expectations.yaml:12: agents[0].match: expected a glob with at most 3 *, got "a*b*c*d*"',
    'expectations.yaml:13: agents[0].checks: expected at least one check',
  ])
  expect(problems('tools: []')).toEqual(['expectations.yaml:1: expected tools or agents'])
})

test.each([
  ['equals: 1, min: 2', ': expected one kind of check, got equals and min: write a check for each'],
  ['at: /a', ': expected one of equals, matches, matchesNot, schema, or min and max'],
  ['min: 5, max: 1', '.max: expected at least min (5), got 1'],
  ['at: a, min: 1', '.at: expected a JSON pointer such as /items/0/price, got "a"'],
  ['matches: "(a+)+b"', '.matches: expected a regular expression that is fast on any text: a repeat or a choice inside of a repeat, in "(a+)+b"'],
  ['schema: 5', '.schema: expected a JSON schema, got 5'],
  ['schema: {typ: string}', '.schema: expected a JSON schema: strict mode: unknown keyword: "typ"'],
  ['schema: {type: text}', '.schema: expected a JSON schema: schema is invalid: data/type must be equal to one of the allowed values, data/type must be array, data/type must match a schema in anyOf'],
  ['schema: {pattern: "(a|aa)*b"}', '.schema: expected a JSON schema: expected a regular expression that is fast on any text: a repeat or a choice inside of a repeat, in "(a|aa)*b"'],
  ['schema: {$ref: "https://example.com/other.json"}', ".schema: expected a JSON schema: can't resolve reference https://example.com/other.json from id #"],
])('%s', (check, problem) => {
  expect(wrong(check)).toEqual([problem])
})

test('two checks cannot have one name, nor a name what a label should not hold', () => {
  expect(problems('agents: [{match: a, checks: [{name: c, min: 1}, {name: c, max: 1}]}]')).toEqual(['expectations.yaml:1: agents[0].checks[1].name: a second check called c'])
  expect(problems('agents: [{match: a, checks: [{name: "a{b}", min: 1}]}]')[0]).toContain('expected a name of at most 64 letters')
})

test('a name is a glob, without regard to case', () => {
  const { match } = checkExpectations(parseYaml('e', 'tools: [{match: "look?p.*", checks: [{name: c, min: 1}]}]')).tools[0]!
  expect(['lookup.order', 'LOOKUP.', 'lookup', 'a lookup.order'].map((name) => match.test(name))).toEqual([true, true, false, false])
})
