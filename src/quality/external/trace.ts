/** A trace id as others write it, as 32 hex digits in lower case; undefined where it is none. */
export function traceOf(text: string): string | undefined {
  const digits = text.trim().toLowerCase()
  const plain = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(digits) ? digits.replaceAll('-', '') : digits
  return /^[0-9a-f]{32}$/.test(plain) && !/^0+$/.test(plain) ? plain : undefined
}
