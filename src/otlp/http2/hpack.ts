/** HPACK, the compression of HTTP/2's header fields (RFC 7541): the half that reads. What is written needs no tables, see answer.ts. */

/** What a field takes in the table besides its two strings (section 4.1), and in the limit on a list of fields. */
const FIELD_BYTES = 32
const TABLE_BYTES = 4096
const LIST_LIMIT_BYTES = 16 << 10

/** Appendix A, in order, from index 1; a name without a value where there is no `=`. */
const STATIC = (':authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|:status=206|:status=304|:status=400|:status=404|:status=500|'
  + 'accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|'
  + 'content-encoding|content-language|content-length|content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|'
  + 'if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|'
  + 'set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate').split('|').map((field) => field.split('=') as [string, string?])

/** The peer and this side no longer agree on the table: the connection is of no more use. */
export class BadFields extends Error {
  override name = 'BadFields'
}

export class FieldDecoder {
  /** The dynamic table, newest first. */
  readonly #fields: { readonly name: string; readonly value: string }[] = []
  #bytes = 0
  #limitBytes = TABLE_BYTES
  #block: Uint8Array = new Uint8Array(0)
  #at = 0

  /** Calls `field` for each of a whole block's fields. Throws `BadFields`. */
  decode(block: Uint8Array, field: (name: string, value: string) => void): void {
    this.#block = block
    this.#at = 0
    let listBytes = 0
    while (this.#at < block.length) {
      const first = block[this.#at]!
      if ((first & 0xe0) === 0x20) { // the table's new limit
        const limit = this.#integer(5)
        if (limit > TABLE_BYTES) throw new BadFields('table larger than allowed')
        this.#limitBytes = limit
        this.#evict(0)
        continue
      }
      let name: string, value: string
      if ((first & 0x80) !== 0) [name, value] = this.#indexed(this.#integer(7))
      else {
        const remember = (first & 0x40) !== 0
        const index = this.#integer(remember ? 6 : 4)
        name = index === 0 ? this.#string() : this.#indexed(index)[0]
        value = this.#string()
        if (remember) this.#remember(name, value)
      }
      listBytes += name.length + value.length + FIELD_BYTES
      if (listBytes > LIST_LIMIT_BYTES) throw new BadFields('more fields than allowed')
      field(name, value)
    }
  }

  #indexed(index: number): [string, string] {
    if (index >= 1 && index <= STATIC.length) {
      const [name, value] = STATIC[index - 1]!
      return [name, value ?? '']
    }
    const field = this.#fields[index - 1 - STATIC.length]
    if (field === undefined) throw new BadFields('no field of this index')
    return [field.name, field.value]
  }

  #remember(name: string, value: string): void {
    const bytes = name.length + value.length + FIELD_BYTES
    this.#evict(bytes)
    if (bytes > this.#limitBytes) return
    this.#fields.unshift({ name, value })
    this.#bytes += bytes
  }

  /** Makes room for one more field; one that is larger than the table empties it. */
  #evict(room: number): void {
    while (this.#fields.length > 0 && this.#bytes + room > this.#limitBytes) {
      const { name, value } = this.#fields.pop()!
      this.#bytes -= name.length + value.length + FIELD_BYTES
    }
  }

  /** An integer whose first byte has `prefix` bits of it (section 5.1). */
  #integer(prefix: number): number {
    const most = (1 << prefix) - 1
    let value = this.#byte() & most
    if (value < most) return value
    for (let shift = 0; shift <= 14; shift += 7) {
      const byte = this.#byte()
      value += (byte & 127) << shift
      if (byte < 128) return value
    }
    throw new BadFields('integer too large')
  }

  #string(): string {
    const huffman = (this.#block[this.#at]! & 0x80) !== 0
    const length = this.#integer(7)
    const end = this.#at + length
    if (end > this.#block.length) throw new BadFields('string cut off')
    const bytes = this.#block.subarray(this.#at, end)
    this.#at = end
    return huffman ? unpack(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1')
  }

  #byte(): number {
    const byte = this.#block[this.#at++]
    if (byte === undefined) throw new BadFields('field cut off')
    return byte
  }
}

/** Lengths in bits of the codes of all bytes (appendix B), a digit in base 36 each. Codes ascend with length and then with the byte. */
const CODE_BITS = 'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777fbed'
  + 'skmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq'
const END = 256
/** Two places a node, for the bits 0 and 1: a node to go on at, or -1 less the byte that is complete. */
const TREE = codeTree()

function codeTree(): Int16Array {
  const bits = [...[...CODE_BITS].map((digit) => parseInt(digit, 36)), 30]
  const tree = new Int16Array(2 * 300)
  let nodes = 1, code = 0, last = 0
  for (const symbol of [...bits.keys()].sort((a, b) => bits[a]! - bits[b]! || a - b)) {
    code <<= bits[symbol]! - last
    last = bits[symbol]!
    let node = 0
    for (let bit = last - 1; bit > 0; bit--) {
      const place = node * 2 + ((code >>> bit) & 1)
      if (tree[place] === 0) tree[place] = nodes++
      node = tree[place]!
    }
    tree[node * 2 + (code & 1)] = -1 - symbol
    code++
  }
  return tree
}

function unpack(bytes: Uint8Array): string {
  let text = ''
  let node = 0
  // What is left over must be the beginning of the end's code: fewer than eight bits, all of them 1.
  let open = 0
  let ones = true
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const set = (byte >>> bit) & 1
      open++
      ones &&= set === 1
      node = TREE[node * 2 + set]!
      if (node >= 0) continue
      if (node === -1 - END) throw new BadFields('code for the end')
      text += String.fromCharCode(-1 - node)
      node = open = 0
      ones = true
    }
  }
  if (open > 7 || !ones) throw new BadFields('padding is not the end')
  return text
}
