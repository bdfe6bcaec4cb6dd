/** A request to judge, for tests. */
import type { Case } from '../../src/quality/judge/case.ts'

export function caseWith(some: Partial<Case> = {}): Case {
  return { trace: '00000001000000020000000300000004', tenant: 'acme', agent: 'triage', why: 'sample', question: 'Where is my parcel?', answer: 'It arrives on Friday.', results: [], ...some }
}
