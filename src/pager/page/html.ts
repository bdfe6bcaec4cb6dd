/** Markup that is safe to send: only `html` makes it, and it escapes every value that is not itself Html. */
export class Html {
  readonly markup: string
  constructor(markup: string) {
    this.markup = markup
  }
}

export type Part = Html | string | number | false | null | undefined | readonly Part[]

/** Template tag. Strings are escaped for text and for quoted attributes; false, null and undefined are nothing. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.reduce((all, string, at) => all + markup(parts[at - 1]) + string))
}

function markup(part: Part): string {
  if (part === false || part === null || part === undefined) return ''
  if (part instanceof Html) return part.markup
  return typeof part === 'object' ? part.map(markup).join('') : escapeText(String(part))
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' }

// Characters that change what the eye reads without being seen: controls, bidi marks, embeddings and overrides
// (the "Trojan Source" set), zero-width spaces, the byte order mark, tag characters. Joiners stay: scripts need them.
const INVISIBLE = /[\p{Cc}\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\u{E0000}-\u{E007F}]/gu

export function escapeText(text: string): string {
  return text.toWellFormed()
    .replace(INVISIBLE, (char) => (char === '\n' || char === '\t' ? char : char === '\r' ? '' : `[U+${hex(char)}]`))
    .replace(/[&<>"'`]/g, (char) => ENTITIES[char] ?? '')
}

function hex(char: string): string {
  return (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
}
