/** A recorded run, ready to be played again and again with new ids and current times. */
import { randomFillSync } from 'node:crypto'
import { delimited, eachField, messages } from './protobuf.ts'
import { KEY_VALUE, LOG_RECORD, REQUESTS, SPAN, type Shape, type Signal } from './shape.ts'

export interface Body {
  readonly signal: Signal
  /** A protobuf export request. */
  readonly bytes: Buffer
  /** Spans or log records. */
  readonly items: number
}

export interface Play {
  readonly keepIds: boolean
  /** Where the recording's newest end is moved to, in Unix nanoseconds; undefined keeps the times. */
  readonly nowNanos: bigint | undefined
  /** Set as the resource attribute `tenant_id`; '' leaves the recording's own. */
  readonly tenant: string
}

/**
 * Where in the bodies the ids, the times and the tenant are. None of them changes its length, so playing is a copy and
 * some hundred small writes, not a decoding.
 */
interface Template {
  readonly bodies: readonly Body[]
  /** Per body: where each time is. */
  readonly times: readonly number[][]
  /** Per body: where each id of `ids` is, raw (16 or 8 bytes) or as hex text. */
  readonly places: readonly Place[][]
  readonly tenants: readonly number[][]
  readonly ids: readonly Buffer[]
  /** Names that providers give to answers: what carries the same one is one call, so a second play needs new ones. */
  readonly answers: readonly string[]
  readonly oldestNanos: bigint
  readonly newestNanos: bigint
}

interface Place {
  readonly at: number
  readonly id: number
  readonly form: 'raw' | 'hex' | 'answer'
}

export class Recording {
  readonly name: string
  readonly bodies: readonly Body[]
  readonly spans: number
  /** From the start of its first span to its newest end. */
  readonly seconds: number
  readonly #templates = new Map<number, Template>()

  /** Throws an Error when a body is not an export request. */
  constructor(name: string, bodies: readonly { readonly signal: Signal; readonly bytes: Buffer }[]) {
    this.name = name
    const template = prepare(bodies)
    this.#templates.set(0, template)
    this.bodies = template.bodies
    this.spans = this.bodies.reduce((sum, body) => sum + (body.signal === 'traces' ? body.items : 0), 0)
    this.seconds = Number(template.newestNanos - template.oldestNanos) / 1e9
  }

  /** The bodies of one run: ids are new and the same across bodies, times keep their distances. */
  play({ keepIds, nowNanos, tenant }: Play): Body[] {
    const template = this.#template(Buffer.byteLength(tenant))
    const fresh = keepIds ? undefined : freshIds(template)
    const shift = nowNanos === undefined || template.newestNanos === 0n ? 0n : nowNanos - template.newestNanos
    return template.bodies.map((body, i) => {
      const bytes = Buffer.from(body.bytes)
      for (const at of template.tenants[i]!) bytes.write(tenant, at, 'utf8')
      for (const at of shift === 0n ? [] : template.times[i]!) bytes.writeBigUInt64LE(BigInt.asUintN(64, bytes.readBigUInt64LE(at) + shift), at)
      for (const place of fresh === undefined ? [] : template.places[i]!) {
        if (place.form === 'raw') fresh!.ids[place.id]!.copy(bytes, place.at)
        else bytes.write(place.form === 'hex' ? fresh!.ids[place.id]!.toString('hex') : fresh!.answers[place.id]!, place.at, 'latin1')
      }
      return { signal: body.signal, bytes, items: body.items }
    })
  }

  /** One for each length of a tenant's name, so that a thousand tenants are not a thousand copies. */
  #template(tenantBytes: number): Template {
    let template = this.#templates.get(tenantBytes)
    if (template === undefined) {
      template = prepare(this.bodies.map((body) => ({ signal: body.signal, bytes: withTenant(body.bytes, tenantBytes) })), tenantBytes)
      this.#templates.set(tenantBytes, template)
    }
    return template
  }
}

function prepare(bodies: readonly { readonly signal: Signal; readonly bytes: Buffer }[], tenantBytes = 0): Template {
  const idNumbers = new Map<string, number>()
  const answers = new Set<string>()
  const times: number[][] = []
  const places: Place[][] = []
  const counted: Body[] = []
  let oldestNanos: bigint | undefined
  let newestNanos = 0n
  for (const { signal, bytes } of bodies) {
    const found = { times: [] as number[], places: [] as Place[], items: 0 }
    walk(bytes, REQUESTS[signal], 0, bytes.length, (shape, field, from, to) => {
      const kind = shape[field]!.kind
      if (kind === SPAN || kind === LOG_RECORD) found.items++
      else if (kind === 'id' && (to - from === 16 || to - from === 8) && bytes.subarray(from, to).some((byte) => byte !== 0)) {
        const hex = bytes.toString('hex', from, to)
        const id = idNumbers.get(hex) ?? idNumbers.size
        idNumbers.set(hex, id)
        found.places.push({ at: from, id, form: 'raw' })
      } else if (kind === 'time' && to - from === 8) {
        const nanos = bytes.readBigUInt64LE(from)
        if (nanos === 0n) return
        found.times.push(from)
        if (shape === SPAN && field === 7 && (oldestNanos === undefined || nanos < oldestNanos)) oldestNanos = nanos
        if (nanos > newestNanos && (shape === LOG_RECORD || (shape === SPAN && field === 8))) newestNanos = nanos
      } else if (kind === 'string') collectAnswers(bytes.toString('latin1', from, to), ANSWER, answers)
      else if (kind === KEY_VALUE && ANSWER_KEY.test(keyOf(bytes.subarray(from, to)))) {
        for (const value of messages(bytes.subarray(from, to), 2)) collectAnswers(messages(value, 1)[0]?.toString('latin1') ?? '', WHOLE_ANSWER, answers)
      }
    })
    times.push(found.times)
    places.push(found.places)
    counted.push({ signal, bytes, items: found.items })
  }
  // The longest first: one may begin like another.
  const names = [...answers].sort((a, b) => b.length - a.length).slice(0, MOST_ANSWERS)
  bodies.forEach(({ bytes }, i) => places[i]!.push(...inTexts(bytes, idNumbers, names)))
  return {
    bodies: counted, times, places, answers: names, oldestNanos: oldestNanos ?? newestNanos, newestNanos,
    ids: [...idNumbers.keys()].map((hex) => Buffer.from(hex, 'hex')),
    tenants: bodies.map(({ bytes }) => (tenantBytes === 0 ? [] : occurrences(bytes, tenantAttribute(tenantBytes)).map((at) => at + tenantAttribute(tenantBytes).length - tenantBytes))),
  }
}

/** As OpenAI, Anthropic and OpenRouter write them. */
const ANSWER = /\b(?:chatcmpl-|resp_|msg_|gen-)(?=[A-Za-z]*\d)[A-Za-z0-9]{12,60}/g
/** `gen_ai.response.id`, `ai.response.id`, `response_id`. */
const ANSWER_KEY = /(^|[._])response[._]?id$/i
/** Under such a key, whatever its form; shorter ones could be anywhere in a text by chance. */
const WHOLE_ANSWER = /^[\w.:-]{12,128}$/g
/** A long conversation has a few hundred; each is searched in every body. */
const MOST_ANSWERS = 2_000

function collectAnswers(text: string, pattern: RegExp, answers: Set<string>): void {
  for (const [answer] of text.matchAll(pattern)) answers.add(answer)
}

/** Instrumentations repeat ids in attributes and in JSON inside them. */
function inTexts(bytes: Buffer, ids: ReadonlyMap<string, number>, answers: readonly string[]): Place[] {
  const found: Place[] = []
  for (const match of bytes.toString('latin1').matchAll(/(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{16})(?![0-9a-f])/g)) {
    const id = ids.get(match[0])
    if (id !== undefined) found.push({ at: match.index, id, form: 'hex' })
  }
  const taken = new Set<number>()
  answers.forEach((answer, id) => {
    for (const at of occurrences(bytes, Buffer.from(answer, 'latin1'))) {
      if (taken.has(at)) continue
      taken.add(at)
      found.push({ at, id, form: 'answer' })
    }
  })
  return found
}

function occurrences(bytes: Buffer, needle: Buffer): number[] {
  const found: number[] = []
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + needle.length)) found.push(at)
  return found
}

function freshIds({ ids, answers }: Template): { ids: Buffer[]; answers: string[] } {
  const noise = randomFillSync(Buffer.allocUnsafe(ids.length * 16))
  return { ids: ids.map((id, i) => noise.subarray(i * 16, i * 16 + id.length)), answers: answers.map(freshAnswer) }
}

/** Keeps the prefix that tells whose answer it is, and which characters are letters and which are digits. */
function freshAnswer(answer: string): string {
  const prefix = /^[a-z]+[-_]/i.exec(answer)?.[0].length ?? 0
  const noise = randomFillSync(Buffer.allocUnsafe(answer.length))
  const rest = Array.from(answer.slice(prefix), (character, i) => {
    if (/\d/.test(character)) return String(noise[i]! % 10)
    return /[a-z]/i.test(character) ? 'abcdef'[noise[i]! % 6]! : character
  })
  return answer.slice(0, prefix) + rest.join('')
}

/** Every field that the tables know, outside in. */
function walk(bytes: Buffer, shape: Shape, start: number, end: number, visit: (shape: Shape, field: number, from: number, to: number) => void): void {
  eachField(bytes, start, end, (field, from, to, _tag, wire) => {
    const known = shape[field]
    if (known === undefined) return
    const nested = typeof known.kind === 'object'
    if (nested && wire !== 2) throw new Error(`field ${known.name} is not a message`)
    visit(shape, field, from, to)
    if (nested) walk(bytes, known.kind as Shape, from, to, visit)
  })
}

/** The same request with room for a tenant of that many bytes in each resource, in place of the `tenant_id` it had. */
function withTenant(bytes: Buffer, tenantBytes: number): Buffer {
  const attribute = tenantAttribute(tenantBytes)
  return rebuild(bytes, (field, content) => {
    if (field !== 1) return undefined
    let had = false
    const holder = rebuild(content, (inner, resource) => {
      if (inner !== 1) return undefined
      had = true
      return Buffer.concat([rebuild(resource, (part, pair) => (part === 1 && keyOf(pair) === 'tenant_id' ? null : undefined)), attribute])
    })
    return had ? holder : Buffer.concat([delimited(1, attribute), holder])
  })
}

/** Replaces the content of length-delimited fields: undefined keeps one, null leaves it out. */
function rebuild(bytes: Buffer, change: (field: number, content: Buffer) => Buffer | null | undefined): Buffer {
  const parts: Buffer[] = []
  eachField(bytes, 0, bytes.length, (field, from, to, tag, wire) => {
    const changed = wire === 2 ? change(field, bytes.subarray(from, to)) : undefined
    if (changed === undefined) parts.push(bytes.subarray(tag, to))
    else if (changed !== null) parts.push(delimited(field, changed))
  })
  return Buffer.concat(parts)
}

function keyOf(pair: Buffer): string {
  return messages(pair, 1)[0]?.toString('utf8') ?? ''
}

/** `Resource.attributes`: tenant_id = as many 0x01 as the name will have. Its bytes are its own marker. */
function tenantAttribute(tenantBytes: number): Buffer {
  const value = delimited(2, delimited(1, Buffer.alloc(tenantBytes, 1)))
  return delimited(1, Buffer.concat([delimited(1, Buffer.from('tenant_id')), value]))
}
