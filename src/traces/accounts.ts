/** What a span tells, written into its record and, where it is told of the whole request, into its request's row. */
import { Num, Text } from '../spans/dialect.ts'
import { Kind } from '../spans/names.ts'
import { RESOURCE_RANK, type Span } from '../spans/span.ts'
import { traitBit } from '../spans/tables.ts'
import { clampTicks, Flag, pack, roundSeconds, type Records } from './records.ts'
import { Row, RowFlag, Told, type Requests } from './requests.ts'
import { quantize } from './settled.ts'
import type { Sources } from './sources.ts'

const NATIVE = traitBit('nativeSdk')
const ATTEMPTS = traitBit('attemptsAreSpans')
/** Whose word counts first: the root's, that of a root within this process, then whoever started first; and within each a span's before its resource's. */
const ROOT_FIRST = 1e15
const LOCAL_ROOT_FIRST = ROOT_FIRST / 2
const RESOURCE_LAST = ROOT_FIRST / 8
/** What only some calls tell. */
const DETAILS = (1 << Num.cachedInput) | (1 << Num.cacheWrite) | (1 << Num.reasoning) | (1 << Num.messages) | (1 << Num.firstTokenSeconds) | (1 << Num.costUsd)
const COMPACTED = 1 << Num.compacted

export class Accounts {
  readonly #requests: Requests
  readonly #records: Records
  readonly #sources: Sources

  constructor(requests: Requests, records: Records, sources: Sources) {
    this.#requests = requests
    this.#records = records
    this.#sources = sources
  }

  /** `parent`: its record, -1 for a root. */
  keep(span: Span, row: number, record: number, parent: number): void {
    const records = this.#records
    const { ints, doubles } = this.#requests
    const i = row << 5
    const d = row << 4
    const { startMs, endMs } = span
    if (startMs > 0) {
      if (doubles[d + Row.baseMs] === 0) doubles[d + Row.baseMs] = startMs
      if (startMs < doubles[d + Row.startMs]!) doubles[d + Row.startMs] = startMs
      if (endMs > doubles[d + Row.endMs]!) doubles[d + Row.endMs] = endMs
    }
    if (span.weight > doubles[d + Row.weight]!) doubles[d + Row.weight] = span.weight
    const isRoot = parent < 0
    let flags: number = Flag.arrived
    let told = 0
    if (span.failed) {
      flags |= Flag.failed
      told |= RowFlag.failed
      records.reasons.set(record, span.reason)
    }
    if (span.tells(COMPACTED) && span.num[Num.compacted]! > 0) {
      told |= RowFlag.compacted
      records.compacted.add(record)
    }
    if ((span.traits & NATIVE) !== 0) flags |= Flag.native
    if ((span.traits & ATTEMPTS) !== 0) flags |= Flag.attempt
    if (span.remoteParent) flags |= Flag.localRoot
    if (span.kind === Kind.agent) told |= RowFlag.agentSeen
    if (told !== 0) ints[i + Row.flags]! |= told
    const source = this.#sources.of(span.text[Text.service]!, span.text[Text.version]!)
    const ticks = startMs > 0 ? clampTicks(Math.floor(startMs * 100) - Math.floor(doubles[d + Row.baseMs]! * 100)) : clampTicks(-Infinity)
    records.set(record, parent, ticks, roundSeconds(span.seconds), span.name, pack(span.kind, span.cause, flags, source))
    if (span.kind === Kind.model || span.kind === Kind.embedding) this.#call(span, record)
    else if (isRoot && span.told(Num.costUsd) > 0) doubles[d + Row.costUsd]! += quantize(span.num[Num.costUsd]!)
    this.#tell(span, row, isRoot)
  }

  #call(span: Span, record: number): void {
    const call = this.#records.setCall(record, span.text[Text.provider]!, span.told(Num.input), span.told(Num.output), span.responseLo)
    const tier = Math.max(0, span.told(Num.tier))
    if (tier > 0 || span.inputHash !== 0 || span.tells(DETAILS)) {
      this.#records.setDetail(call, span.told(Num.cachedInput), span.told(Num.cacheWrite), span.told(Num.reasoning), span.told(Num.messages),
        roundSeconds(span.told(Num.firstTokenSeconds)), span.told(Num.costUsd), tier, span.inputHash)
    }
  }

  #tell(span: Span, row: number, isRoot: boolean): void {
    const { text } = span
    if (isRoot) this.#requests.ints[(row << 5) + Row.service] = text[Text.service]!
    if ((text[Text.tenant]! | text[Text.project]! | text[Text.agent]!) === 0) return
    const rank = isRoot ? span.startMs - ROOT_FIRST : span.remoteParent ? span.startMs - LOCAL_ROOT_FIRST : span.startMs
    if (text[Text.tenant] !== 0) this.#requests.tell(row, Told.tenant, text[Text.tenant]!, rank + lastIfOfResource(span, Text.tenant), span.idLo)
    if (text[Text.project] !== 0) this.#requests.tell(row, Told.project, text[Text.project]!, rank + lastIfOfResource(span, Text.project), span.idLo)
    if (text[Text.agent] !== 0) this.#requests.tell(row, Told.agent, text[Text.agent]!, rank, span.idLo)
  }
}

function lastIfOfResource({ textRank }: Span, field: number): number {
  return textRank[field] === RESOURCE_RANK ? RESOURCE_LAST : 0
}
