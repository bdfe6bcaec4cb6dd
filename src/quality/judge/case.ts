/** One request as the judge sees it: its texts copied, because the record of the settled request is filled again. */
import type { Why } from './selection.ts'

export interface Case {
  /** 32 hexadecimal digits. */
  readonly trace: string
  /** Whose budget pays; never sent anywhere. */
  readonly tenant: string
  readonly agent: string
  readonly why: Why
  readonly question: string
  readonly answer: string
  /** What tools and retrievals told the agent, in the order of the steps. */
  readonly results: readonly ToolResult[]
}

export interface ToolResult {
  readonly name: string
  readonly text: string
}

export function bytesOf({ question, answer, results }: Case): number {
  return results.reduce((sum, { name, text }) => sum + Buffer.byteLength(name) + Buffer.byteLength(text), Buffer.byteLength(question) + Buffer.byteLength(answer))
}
