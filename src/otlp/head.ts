/**
 * The head of a plain push: `POST /v1/traces HTTP/1.1`, protobuf, a Content-Length, perhaps gzip, and nothing that changes how the
 * message is framed or answered. Anything else, and anything that could be read in two ways, is undefined: it is left to node's parser.
 */
export interface Head {
  /** Its own length, the empty line included. */
  readonly bytes: number
  /** Of the body. */
  readonly length: number
  readonly gzip: boolean
}

const LIMIT_BYTES = 8 << 10
const LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*)$/
/** At most 999,999,999, which the limits are below. */
const LENGTH = /^[0-9]{1,9}$/

export function headOf(bytes: Buffer, paths: readonly string[]): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0 || end > LIMIT_BYTES) return undefined
  const [request, ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  if (!paths.some((path) => request === `POST ${path} HTTP/1.1`)) return undefined
  let hosts = 0, types = 0, gzip = false, length = -1
  for (const line of lines) {
    const match = LINE.exec(line)
    if (match === null) return undefined
    const value = match[2]!
    switch (match[1]!.toLowerCase()) {
      case 'host':
        hosts++
        break
      case 'content-length':
        if (length >= 0 || !LENGTH.test(value)) return undefined
        length = Number(value)
        break
      case 'content-type':
        if (value !== 'application/x-protobuf') return undefined
        types++
        break
      case 'content-encoding':
        if (gzip || value !== 'gzip') return undefined
        gzip = true
        break
      case 'connection':
        if (value.toLowerCase() !== 'keep-alive') return undefined
        break
      case 'transfer-encoding':
      case 'expect':
      case 'upgrade':
      case 'trailer':
        return undefined
    }
  }
  return hosts === 1 && types === 1 && length > 0 ? { bytes: end + 4, length, gzip } : undefined
}
