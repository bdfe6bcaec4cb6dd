/**
 * A long ExportTraceServiceRequest is handed on in parts while it comes, each a whole request with its share of the spans: what has come
 * is still in the processor's cache then, and no sender makes the bridge hold more than a part. A part is cut between two spans; the
 * messages around them are given the length of what is there of them, and what they begin with, the resource and the scope, stays for
 * the next part. Where it is not they that come first, or lengths do not add up, nothing more is cut: the rest is read as one.
 *
 *     TracesData.resource_spans=1 · ResourceSpans.resource=1 scope_spans=2 · ScopeSpans.scope=1 spans=2
 */
const RESOURCE_SPANS = 10, SCOPE_SPANS = 18, SPAN = 18
/** What both begin with: a resource, a scope. */
const FIRST = 10
/** What may follow in both. */
const SCHEMA_URL = 26

/** A message whose end has not come: where its tag, its length and its fields begin, where the first field ends, and where it ends itself. */
interface Around {
  tag: number
  length: number
  fields: number
  first: number
  end: number
}

export class Parts {
  readonly #resource: Around = { tag: 0, length: 0, fields: 0, first: 0, end: 0 }
  readonly #scope: Around = { tag: 0, length: 0, fields: 0, first: 0, end: 0 }
  /** How many messages are around what comes next. */
  #depth = 0
  /** All before this is whole. */
  #at = 0
  /** Where the whole ends, counted as the others from the beginning of what is here. */
  #end: number
  #over = false

  constructor(length: number) {
    this.#end = length
  }

  /** Where the first `filled` bytes can be cut, as a request of its own; 0: nowhere. To be followed by `keep`. */
  cut(b: Buffer, filled: number): number {
    do this.#passSpans(b, filled)
    while (!this.#over && this.#next(b, filled))
    if (this.#over) return 0
    const resource = this.#resource
    const scope = this.#scope
    // Not behind a beginning that nothing has followed.
    if (this.#depth === 2 && this.#at === scope.first) [this.#depth, this.#at] = [1, scope.tag]
    if (this.#depth === 1 && this.#at === resource.first) [this.#depth, this.#at] = [0, resource.tag]
    if (this.#depth > 0) setLength(b, resource, this.#at)
    if (this.#depth > 1) setLength(b, scope, this.#at)
    return this.#at
  }

  /** Puts what belongs to the next part to the beginning; returns how many bytes that are. */
  keep(b: Buffer, filled: number): number {
    const at = this.#at
    const around = [this.#resource, this.#scope].slice(0, this.#depth)
    let to = 0
    for (const one of around) to = move(b, one, to)
    b.copyWithin(to, at, filled)
    const by = to - at
    this.#at = to
    this.#end += by
    for (const one of around) {
      one.end += by
      setLength(b, one, one.end)
    }
    return filled + by
  }

  /** Goes on past all spans that are whole and of an ordinary length: what nearly all of a request is. */
  #passSpans(b: Buffer, filled: number): void {
    if (this.#depth < 2) return
    const end = Math.min(filled, this.#scope.end)
    let p = this.#at
    while (p + 3 < end && b[p] === SPAN) {
      const low = b[p + 1]!
      const high = b[p + 2]!
      const after = low < 128 ? p + 2 + low : high < 128 ? p + 3 + (low & 127) + high * 128 : end + 1
      if (after > end) break
      p = after
    }
    this.#at = p
  }

  /** Goes on by a span, or into or out of a message around spans. False: what comes next has not come. */
  #next(b: Buffer, filled: number): boolean {
    const p = this.#at
    const depth = this.#depth
    const end = depth === 2 ? this.#scope.end : depth === 1 ? this.#resource.end : this.#end
    if (depth > 0 && p === end) {
      this.#depth--
      return true
    }
    if (p >= filled) return false
    const tag = b[p]!
    const within = depth === 2 ? SPAN : depth === 1 ? SCOPE_SPANS : RESOURCE_SPANS
    if (tag !== within && (tag !== SCHEMA_URL || depth === 0)) return this.#giveUp()
    const fields = afterVarint(b, p + 1, filled)
    if (fields < 0) return false
    const after = fields + varintAt(b, p + 1)
    if (after > end) return this.#giveUp()
    if (depth === 2 || tag === SCHEMA_URL) {
      if (after > filled) return false
      this.#at = after
      return true
    }
    if (fields === after) return this.#giveUp()
    if (fields >= filled) return false
    if (b[fields] !== FIRST) return this.#giveUp()
    const value = afterVarint(b, fields + 1, filled)
    if (value < 0) return false
    const first = value + varintAt(b, fields + 1)
    if (first > after) return this.#giveUp()
    if (first > filled) return false
    Object.assign(depth === 0 ? this.#resource : this.#scope, { tag: p, length: p + 1, fields, first, end: after })
    this.#depth++
    this.#at = first
    return true
  }

  #giveUp(): false {
    this.#over = true
    return false
  }
}

/** Moves what a message begins with. Returns where that then ends. */
function move(b: Buffer, around: Around, to: number): number {
  b.copyWithin(to, around.tag, around.first)
  const by = to - around.tag
  around.tag += by
  around.length += by
  around.fields += by
  around.first += by
  return around.first
}

/** Writes the length of a message that ends at `end` in as many bytes as the length that it had, which was not less. */
function setLength(b: Buffer, around: Around, end: number): void {
  let rest = end - around.fields
  for (let at = around.length; at < around.fields; at++, rest = Math.floor(rest / 128)) b[at] = (rest % 128) + (at < around.fields - 1 ? 128 : 0)
}

/** Where the varint at `at` ends, -1 when it has not come as a whole. One of more than five bytes is read as of five, which is more than any message has. */
function afterVarint(b: Buffer, at: number, filled: number): number {
  for (let p = at; p < filled; p++) if (b[p]! < 128 || p === at + 4) return p + 1
  return -1
}

function varintAt(b: Buffer, at: number): number {
  let value = 0
  for (let p = at, scale = 1; p < at + 5; p++, scale *= 128) {
    value += (b[p]! & 127) * scale
    if (b[p]! < 128) return value
  }
  return Infinity
}
