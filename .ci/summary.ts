/** `node .ci/summary.ts <vitest's JSON report>`: one line; exits 1 if a test failed, or none ran. */
import { existsSync, readFileSync } from 'node:fs'

interface Report {
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly { readonly status: string }[] }[]
}

const file = process.argv[2] ?? ''
const { testResults }: Report = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : { testResults: [] }

const statuses = testResults.flatMap(({ status, assertionResults }) => {
  const own = assertionResults.map((test) => test.status)
  // A file that could not be read, or whose set-up failed, has no failed test of its own.
  return status === 'failed' && !own.includes('failed') ? [...own, 'failed'] : own
})
const count = (...wanted: string[]) => statuses.filter((status) => wanted.includes(status)).length
const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped', 'pending', 'todo', 'disabled')]
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
