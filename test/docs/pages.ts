/** README.md and docs/, and the blocks in them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')
export const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]

export interface Block {
  readonly page: string
  readonly language: string
  readonly text: string
}

export const texts = new Map(PAGES.map((page) => [page, readFileSync(join(ROOT, page), 'utf8')]))
export const blocks: Block[] = PAGES.flatMap((page) => [...texts.get(page)!.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language, text]) => ({ page, language: language!, text: text! })))
export const of = (language: string) => blocks.filter((block) => block.language === language)
