/** A request to judge, for tests. */
import type { Case } from '../../src/quality/judge/case.ts'

export function caseWith(some: Partial<Case> = {}): Case {
  return { trace: Int32Array.of(1, 2, 3, 4), tenant: 'acme', agent: 'triage', why: 'sample', question: 'Where is my parcel?', answer: 'It arrives on Friday.', results: [], ...some }
}
