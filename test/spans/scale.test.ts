/** Scores as others write them. */
import { describe, expect, test } from 'vitest'
import { Scales } from '../../src/spans/scale.ts'
import { observations, total } from '../traces/delivery.ts'
import { series, testEngine } from '../conformance/recordings.ts'
import { attributes, bytes, hex, message, text, tracesBody, type Attributes } from '../otlpbuilder.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const NOW = Date.UTC(2026, 10, 24)

describe('a scale', () => {
  test('is 0 to 1, and 1 is good, unless it is said otherwise', () => {
    const scales = new Scales([{ evaluator: 'stars', worst: 1, best: 5 }, { evaluator: 'toxicity', worst: 1, best: 0 }, { evaluator: 'mood', worst: -1, best: 1 }])
    expect([0, 0.25, 1].map((score) => scales.value('helpful', score, ''))).toEqual([0, 0.25, 1])
    expect([1, 4, 5].map((score) => scales.value('stars', score, ''))).toEqual([0, 0.75, 1])
    expect([0, 0.25, 1].map((score) => scales.value('toxicity', score, ''))).toEqual([1, 0.75, 0])
    expect([-1, -0.5, 1].map((score) => scales.value('mood', score, ''))).toEqual([0, 0.25, 1])
    expect([['helpful', 4], ['helpful', -0.1], ['stars', 0], ['stars', 5.1], ['toxicity', 2], ['helpful', Infinity]].map(([evaluator, score]) => scales.value(evaluator as string, score as number, 'pass'))).toEqual(Array.from({ length: 6 }, () => 'out_of_range'))
  })

  test('can be of every evaluator that has none of its own', () => {
    const scales = new Scales([{ evaluator: undefined, worst: 0, best: 10 }, { evaluator: 'exact', worst: 0, best: 1 }])
    expect([scales.value('any', 5, ''), scales.value('exact', 1, '')]).toEqual([0.5, 1])
  })

  test('a word is read where there is no number: known ones, and those of the configuration', () => {
    const scales = new Scales([], [{ evaluator: undefined, label: 'Hallucinated', value: 0 }, { evaluator: 'tone', label: 'pass', value: 0.5 }])
    expect(['pass', 'FAIL', ' correct', 'not_relevant', 'hallucinated'].map((label) => scales.value('x', NaN, label))).toEqual([1, 0, 1, 0, 0])
    expect(scales.value('tone', NaN, 'pass')).toBe(0.5)
    expect(scales.value('x', 0.5, 'fail')).toBe(0.5)
    // What is good about it depends on what was asked.
    expect(['yes', 'true', '', 'x'.repeat(5000)].map((label) => scales.value('toxic', NaN, label))).toEqual(['unknown_label', 'unknown_label', 'no_score', 'unknown_label'])
  })
})

/** An ExportLogsServiceRequest. */
function logsBody(records: readonly { event?: string; trace?: string; values: Attributes }[]): Uint8Array {
  const record = ({ event = 'gen_ai.evaluation.result', trace = TRACE, values }: (typeof records)[number]) => message([...attributes(6, values), ...(trace === '' ? [] : [bytes(9, hex(trace))]), text(12, event)])
  return message([bytes(1, message([bytes(2, message(records.map((one) => bytes(2, record(one)))))]))])
}

const mean = (engine: ReturnType<typeof testEngine>, evaluator: string) => series(engine, 'agent_quality_score').filter(({ labels }) => labels['evaluator'] === evaluator).map(({ value, count }) => value / count)

test('evaluation results of log records: with a number, with a label alone, with neither, without a trace', () => {
  const engine = testEngine({ scales: new Scales([{ evaluator: 'stars', worst: 1, best: 5 }, { evaluator: 'mood', worst: -2, best: 2 }]) })
  const score = (name: string, rest: Attributes) => ({ values: { 'gen_ai.evaluation.name': name, 'gen_ai.evaluation.explanation': '0.9 because', ...rest } })
  engine.logs(logsBody([
    score('helpful', { 'gen_ai.evaluation.score.value': 0.5 }),
    score('stars', { 'gen_ai.evaluation.score.value': 4, 'gen_ai.evaluation.score.label': 'fail' }),
    score('relevance', { 'gen_ai.evaluation.score.label': 'relevant' }),
    score('mood', { 'gen_ai.evaluation.score.value': -1 }),
    score('vague', { 'gen_ai.evaluation.score.label': 'so-so' }),
    score('crashed', { 'error.type': 'timeout' }),
    score('high', { 'gen_ai.evaluation.score.value': 4 }),
    { ...score('lost', { 'gen_ai.evaluation.score.value': 1 }), trace: '' },
    { ...score('other', { 'gen_ai.evaluation.score.value': 1 }), event: 'gen_ai.choice' },
  ]), NOW)
  engine.finish(NOW)
  expect(['helpful', 'stars', 'relevance', 'mood', 'vague', 'high', 'lost', 'other'].map((name) => mean(engine, name))).toEqual([[0.5], [0.75], [1], [0.25], [], [], [], []])
  expect(engine.scales.rejected).toEqual({ out_of_range: 1, unknown_label: 1, no_score: 1, no_trace: 1, too_many: 0, malformed: 0 })
})

describe('evaluation results of spans', () => {
  const root = { trace: TRACE, id: '00f067aa0ba902b7', name: 'invoke_agent support', startMs: NOW, endMs: NOW + 100 }
  const settled = (spans: Parameters<typeof tracesBody>[0], scales = new Scales()) => {
    const engine = testEngine({ scales })
    engine.traces(tracesBody(spans), NOW)
    engine.finish(NOW + 1000)
    return engine
  }
  const agent = { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support' }

  test('as attributes of an evaluation span', () => {
    const engine = settled([
      { ...root, attributes: agent },
      { ...root, id: '00f067aa0ba902b8', parent: root.id, name: 'evaluate', attributes: { 'gen_ai.operation.name': 'evaluate', 'gen_ai.evaluation.name': 'relevance', 'gen_ai.evaluation.score.label': 'not_relevant' } },
      { ...root, id: '00f067aa0ba902b9', parent: root.id, name: 'evaluate', attributes: { 'gen_ai.operation.name': 'evaluate', 'gen_ai.evaluation.name': 'mood', 'gen_ai.evaluation.score.value': -1 } },
      { ...root, id: '00f067aa0ba902ba', parent: root.id, name: 'evaluate', attributes: { 'gen_ai.operation.name': 'evaluate', 'gen_ai.evaluation.name': 'high', 'gen_ai.evaluation.score.value': 4.5 } },
    ], new Scales([{ evaluator: 'mood', worst: -2, best: 2 }]))
    expect([mean(engine, 'relevance'), mean(engine, 'mood'), mean(engine, 'high')]).toEqual([[0], [0.25], []])
    expect(engine.scales.rejected.out_of_range).toBe(1)
    expect(total(engine, 'agent_requests_total', { agent: 'support' })).toBe(1)
  })

  test('as lists of OpenInference: annotations and evaluations, of people and others', () => {
    const engine = settled([{
      ...root, scope: 'openinference.instrumentation.langchain',
      attributes: {
        ...agent,
        'evaluations.0.evaluation.name': 'relevance', 'evaluations.0.evaluation.score': 0.5, 'evaluations.0.evaluation.explanation': 'half of it', 'evaluations.0.evaluation.annotator_kind': 'LLM',
        'evaluations.1.evaluation.label': 'fail', 'evaluations.1.evaluation.name': 'exact',
        'evaluations.2.evaluation.name': 'note', 'evaluations.2.evaluation.explanation': 'no score',
        'evaluations.3.evaluation.score': 1,
        'annotations.0.annotation.name': 'ann', 'annotations.0.annotation.score': 1, 'annotations.0.annotation.annotator_kind': 'HUMAN',
        // The first of the evaluations again, in the other form.
        'annotations.1.annotation.name': 'relevance', 'annotations.1.annotation.score': 0.5,
        'annotations.12.annotation.name': 'mood', 'annotations.12.annotation.score': -1,
        'annotations.x.annotation.name': 'none', 'annotationsX': 'none',
      },
    }], new Scales([{ evaluator: 'mood', worst: -2, best: 2 }]))
    expect(series(engine, 'agent_quality_score').map(({ labels, value, count }) => [labels['layer'], labels['evaluator'], value, count]).toSorted()).toEqual([['external', 'exact', 0, 1], ['external', 'mood', 0.25, 1], ['external', 'relevance', 0.5, 1], ['human', 'ann', 1, 1]])
    expect(Object.values(engine.scales.rejected)).toEqual([0, 0, 0, 0, 0, 0])
    // The span after it has none of them.
    engine.traces(tracesBody([{ ...root, trace: '1af7651916cd43dd8448eb211c80319c', attributes: agent }]), NOW + 2000)
    engine.finish(NOW + 4000)
    expect(observations(engine, 'agent_quality_score')).toBe(4)
  })

  test('as events, as many as are taken', () => {
    const event = (name: string, values: Attributes) => ({ name: 'gen_ai.evaluation.result', timeMs: NOW, attributes: { 'gen_ai.evaluation.name': name, ...values } })
    const engine = settled([{ ...root, attributes: agent, events: [event('a', { 'gen_ai.evaluation.score.label': 'pass' }), event('b', { 'gen_ai.evaluation.score.value': 1 }), event('c', {}), event('d', { 'gen_ai.evaluation.score.value': -3 })] }])
    expect([mean(engine, 'a'), mean(engine, 'b'), mean(engine, 'c')]).toEqual([[1], [1], []])
    expect(engine.scales.rejected).toMatchObject({ no_score: 1, out_of_range: 1 })
    const many = settled([{ ...root, attributes: agent, events: Array.from({ length: 40 }, (_, i) => event(`e${i}`, { 'gen_ai.evaluation.score.value': 1 })) }])
    expect([observations(many, 'agent_quality_score'), many.scales.rejected.too_many]).toEqual([32, 1])
  })
})
