/** The key of the endpoint: from a file, which is read again for each call so that a rotated key is used, or from the environment. It is in nothing that is logged, counted or thrown. */
import { readFileSync } from 'node:fs'
import type { JudgeConfig } from '../../config/judge.ts'

const VARIABLES = { anthropic: 'ANTHROPIC_API_KEY', openai: 'OPENAI_API_KEY', autoevals: 'OPENAI_API_KEY' } as const

export type Key = () => Promise<string>

/** Throws where there is none. An endpoint of one's own may do without: `none` is then sent. */
export function keyOf({ provider, apiKeyFile, baseUrl }: Pick<JudgeConfig, 'provider' | 'apiKeyFile' | 'baseUrl'>, env: Readonly<Record<string, string | undefined>>): Key {
  const variable = VARIABLES[provider]
  if (apiKeyFile !== undefined) {
    const read = () => readKey(apiKeyFile)
    read()
    return async () => read()
  }
  const key = env[variable]?.trim()
  if (key) return async () => key
  if (baseUrl !== undefined && provider !== 'anthropic') return async () => 'none'
  throw new Error(`cannot start the judge: judge.provider is ${provider}, and there is no key; set ${variable}, or judge.apiKeyFile`)
}

function readKey(file: string): string {
  let key: string
  try {
    key = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new Error(`cannot read judge.apiKeyFile: ${(error as Error).message}`, { cause: error })
  }
  // A header takes one line of printable characters.
  if (!/^[\x21-\x7e]{1,4096}$/.test(key)) throw new Error('cannot read judge.apiKeyFile: expected a key on one line')
  return key
}
