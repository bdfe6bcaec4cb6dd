/**
 * Content in a prompt, between two lines that it cannot write itself: they carry a mark drawn for this prompt alone, after the
 * content was written. So a line in it that looks like the end is content, and so is what comes after it.
 */
import { randomBytes } from 'node:crypto'

/** A mark that none of the texts has in it. */
export function drawMark(texts: readonly string[], random: () => string = () => randomBytes(12).toString('hex')): string {
  for (;;) {
    const mark = random()
    if (!texts.some((text) => text.includes(mark))) return mark
  }
}

export function fenced(what: string, text: string, mark: string): string {
  return `<${what} ${mark}>\n${text}\n</${what} ${mark}>`
}
