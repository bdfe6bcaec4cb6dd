/** Addresses that strangers chose, as links or as the text they are. */
import { html, type Html } from './html.ts'
import { safeUrl, type Link } from '../view.ts'
import { cutText } from '../webhook.ts'

/** A link only where the address is plain http(s); anything else is shown as the text it is. */
export function link({ text, url, secondary = false }: Link): Html {
  const safe = safeUrl(url)
  if (safe === null) return html`<span class="nolink">${text !== url && html`${text}: `}<bdi>${cutText(url, 200)}</bdi></span>`
  return html`<a${secondary && html` class="secondary"`} href="${safe}" target="_blank" rel="noopener noreferrer nofollow" title="${cutText(safe, 300)}">${cutText(text, 200)}</a>`
}

/** Values are strangers': percent-encoded wherever they stand in an address. */
export function filled(address: string, values: Readonly<Record<string, string>>): string {
  return address.replace(/\{(\w+)\}/g, (whole, key: string) => (Object.hasOwn(values, key) ? encodeURIComponent(values[key]!) : whole))
}
