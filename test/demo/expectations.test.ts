import { expect, test } from 'vitest'
import { loadExpectations } from '../../src/config/expectations.ts'
import { demoExpectations } from '../../src/demo/agents/expected.ts'
import { exchange, isLost, lostAnswer, toolResult } from '../../src/demo/agents/words.ts'
import { PROFILES } from '../../src/demo/agents/profiles.ts'
import { Random } from '../../src/demo/agents/random.ts'
import { readingsOf } from '../../src/quality/checks/envelope.ts'
import { verdictOn } from '../../src/quality/checks/verdict.ts'
import { CHECK_RESULTS } from '../../src/traces/settled.ts'

const { tools, agents } = loadExpectations(demoExpectations())
const random = new Random(7)
const results = (of: typeof tools, name: string, content: string) =>
  of.filter(({ match }) => match.test(name)).flatMap(({ checks }) => checks.map((check) => CHECK_RESULTS[verdictOn(check, readingsOf(content)).result]))

test('nothing is expected of tools of other agents', () => {
  expect(tools.filter(({ agent }) => agent === undefined || agent.test('support_agent')).map(({ written }) => written)).toEqual([])
})

test('the demo\'s tools and agents pass while all is well, and fail when an agent has lost the thread', () => {
  for (const tool of ['lookup_order', 'shipping_status', 'create_ticket', 'run_linter']) {
    for (let i = 0; i < 20; i++) expect(results(tools, tool, toolResult(tool, random)), tool).toEqual(['pass'])
  }
  for (const { agent } of PROFILES) {
    for (let i = 0; i < 20; i++) {
      const { question, answer } = exchange(agent, random)
      expect(isLost(answer)).toBe(false)
      expect([results(agents, agent, answer), results(agents, agent, lostAnswer(question))], question).toEqual([['pass'], ['fail']])
    }
  }
})
