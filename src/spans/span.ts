import { EVIDENCE_FIELDS, NUM_FIELDS, Num, TEXT_FIELDS, Text, type NumField, type TextField } from './dialect.ts'
import { Cause, Kind, NO_REASON, type Layer, type Reason } from './names.ts'

/** Most links of one span that are looked at. */
export const MAX_LINKS = 16
/** Rank of a text that the resource tells: whatever the span itself tells outranks it. */
export const RESOURCE_RANK = 200
/** Most scores read off one span. */
export const MAX_SCORES = 32

/** Fields are cleared four at a time. */
const GROUPED_TEXTS = (TEXT_FIELDS + 3) & ~3
const GROUPED_NUMBERS = (NUM_FIELDS + 3) & ~3

export interface Score {
  readonly evaluator: number
  /** From 0 to 1. */
  readonly value: number
  readonly layer: Layer
}

/** A score as a span tells it: its number is on the evaluator's own scale, or there is only a word. */
export interface ToldScore extends Score {
  readonly label: number
}

/** What of a score has been read. */
export interface ScorePart {
  readonly form: number
  readonly index: number
  evaluator: number
  value: number
  label: number
  layer: Layer
}

/**
 * The record that flows from `spans/` to `traces/`. There is one, filled again for every span: nothing is
 * allocated per span or attribute, and whoever wants to keep something copies it. Byte ranges point into
 * `body`, which is only valid until the push it came in has been scanned.
 */
export class Span {
  body: Uint8Array = new Uint8Array(0)

  /** Trace id as four 32-bit words. */
  readonly trace = new Int32Array(4)
  idHi = 0
  idLo = 0
  /** Both 0: a root. */
  parentHi = 0
  parentLo = 0
  /** The parent runs in another process: this span is where the request entered this one. */
  remoteParent = false
  /** Unix time in milliseconds, with fractions. */
  startMs = 0
  endMs = 0
  /** Length in seconds, never negative. */
  seconds = 0
  /** OTel SpanKind: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  spanKind = 0
  /** OTel status: 0 unset, 1 ok, 2 error. */
  status = 0
  nameStart = 0
  nameLength = 0
  scope = 0
  traits = 0
  /** Attributes the SDK dropped: what is missing is then unknown, not absent. */
  dropped = 0
  /** How many spans this one stands for (`ot=th:` of a sampler), 1 without sampling. */
  weight = 1
  linkCount = 0
  readonly links = new Int32Array(4 * MAX_LINKS)

  kind: number = Kind.unknown
  kindRank = 255
  readonly text = new Int32Array(GROUPED_TEXTS)
  readonly textRank = new Uint8Array(GROUPED_TEXTS).fill(255)
  readonly num = new Float64Array(NUM_FIELDS)
  /** 255: the span does not tell. */
  readonly numRank = new Uint8Array(GROUPED_NUMBERS).fill(255)
  readonly #textRanks = new Int32Array(this.textRank.buffer)
  readonly #numberRanks = new Int32Array(this.numRank.buffer)
  readonly evidence = new Int32Array(2 * EVIDENCE_FIELDS)
  /** Where an AnyValue of content begins and ends, by `Content`; an end of 0: the span does not tell. */
  readonly contentStart = new Int32Array(2)
  readonly contentEnd = new Int32Array(2)
  readonly #contentRank = new Uint8Array(2)
  /** Fields that were set, a bit each: only these are cleared for the next span. */
  #texts = 0
  #numbers = 0
  #evidences = 0
  responseHi = 0
  responseLo = 0
  /** Of the whole input of a call, 0 where nothing tells it. */
  inputHash = 0
  /** A hash of the id of its conversation; of the first half 0 where nothing tells it. */
  conversationHi = 0
  conversationLo = 0
  hasException = false
  saysFailed = false
  messagesStart = 0
  messagesLength = 0
  messageIndex = -1
  /** Time of the first token event, 0 when there was none. */
  firstTokenMs = 0
  /** As the span tells them; the classifier makes `scores` of them. */
  readonly toldScores: ToldScore[] = []
  readonly scores: Score[] = []
  /** Scores whose name, number and label are attributes of their own, until the whole span has been read. */
  readonly scoreParts: ScorePart[] = []

  /** What the classifier concludes: the step's name, and why it failed. */
  name = 0
  cause: number = Cause.none
  /** Of a span that failed. */
  reason: Reason = NO_REASON
  failed = false

  reset(): void {
    this.parentHi = 0
    this.parentLo = 0
    this.remoteParent = false
    this.startMs = 0
    this.endMs = 0
    this.seconds = 0
    this.spanKind = 0
    this.status = 0
    this.nameLength = 0
    this.dropped = 0
    this.weight = 1
    this.linkCount = 0
    this.kind = Kind.unknown
    this.kindRank = 255
    // Four fields at a time: a loop over those set would be left at another place for each kind of step, which costs more than it saves.
    for (let group = 0, set = this.#texts; set !== 0; group++, set >>>= 4) {
      if ((set & 15) === 0) continue
      const { text } = this
      const at = group << 2
      text[at] = text[at + 1] = text[at + 2] = text[at + 3] = 0
      this.#textRanks[group] = -1
    }
    this.#texts = 0
    if (this.#numbers !== 0) {
      const ranks = this.#numberRanks
      for (let group = 0; group < ranks.length; group++) ranks[group] = -1
      this.#numbers = 0
    }
    if (this.#evidences !== 0) {
      for (let set = this.#evidences; set !== 0; set &= set - 1) this.evidence[(31 - Math.clz32(set & -set)) * 2 + 1] = 0
      this.#evidences = 0
    }
    if ((this.contentEnd[0]! | this.contentEnd[1]!) !== 0) this.contentEnd.fill(0)
    this.responseHi = 0
    this.responseLo = 0
    this.inputHash = 0
    this.conversationHi = 0
    this.conversationLo = 0
    this.hasException = false
    this.saysFailed = false
    this.messagesLength = 0
    this.messageIndex = -1
    this.firstTokenMs = 0
    if (this.scoreParts.length > 0) this.scoreParts.length = 0
    if (this.toldScores.length > 0) this.toldScores.length = 0
    if (this.scores.length > 0) this.scores.length = 0
    this.failed = false
    this.cause = Cause.none
  }

  /** Of the resource: it stays from span to span, and nothing that a span says of it counts. */
  setService(id: number): void {
    this.text[Text.service] = id
    this.textRank[Text.service] = id === 0 ? 255 : 0
    this.#texts &= ~(1 << Text.service)
  }

  /** On a record with nothing told: a kind, and texts as field, number and rank, each in the first three of four of the words. */
  lay(kind: number, rank: number, words: Int32Array, from: number, to: number): void {
    this.kind = kind
    this.kindRank = rank
    let texts = 0
    for (let i = from; i < to; i += 4) {
      const field = words[i]!
      this.text[field] = words[i + 1]!
      this.textRank[field] = words[i + 2]!
      texts |= 1 << field
    }
    this.#texts = texts
  }

  setKind(kind: number, rank: number): void {
    if (rank < this.kindRank) {
      this.kind = kind
      this.kindRank = rank
    }
  }

  setText(field: number, id: number, rank: number): void {
    if (rank < this.textRank[field]!) {
      this.text[field] = id
      this.textRank[field] = rank
      this.#texts |= 1 << field
    }
  }

  /** Where words of a failure are; the first telling stays. */
  setEvidence(field: number, start: number, length: number): void {
    const at = field << 1
    if (this.evidence[at + 1] === 0) {
      this.evidence[at] = start
      this.evidence[at + 1] = length
      this.#evidences |= 1 << field
    }
  }

  /** Of values of one rank the last one stays: of messages it is the newest. */
  setContent(side: number, start: number, end: number, rank: number): void {
    if (this.contentEnd[side] !== 0 && rank > this.#contentRank[side]!) return
    this.contentStart[side] = start
    this.contentEnd[side] = end
    this.#contentRank[side] = rank
  }

  setNumber(field: number, value: number, rank: number): void {
    if (rank < this.numRank[field]! && (value >= 0 || (field === Num.score && value < 0)) && Math.abs(value) < Infinity) {
      this.num[field] = value
      this.numRank[field] = rank
      this.#numbers |= 1 << field
    }
  }

  /** `value` may be NaN where there is only a label; texts are numbers of the string table. */
  tellScore(evaluator: number, value: number, label = 0, layer: Layer = 'external'): void {
    // One more than is taken, so that it is seen that there were more.
    if (this.toldScores.length <= MAX_SCORES) this.toldScores.push({ evaluator, value, label, layer })
  }

  /** One attribute of the score at `index` of a list of the form `form`. Explanations and the like are left alone. */
  tellScorePart(form: number, index: number, part: string, text: number, value: number, strings: { text(id: number): string }): void {
    let found = this.scoreParts.find((one) => one.form === form && one.index === index)
    if (found === undefined) {
      if (this.scoreParts.length > MAX_SCORES) return
      this.scoreParts.push(found = { form, index, evaluator: 0, value: NaN, label: 0, layer: 'external' })
    }
    if (part === 'name') found.evaluator = text
    else if (part === 'label') found.label = text
    else if (part === 'score') found.value = value
    else if (part === 'annotator_kind' && strings.text(text) === 'HUMAN') found.layer = 'human'
  }

  /** A text field's number, 0 when the span does not tell. */
  textOf(field: TextField): number {
    return this.text[Text[field]]!
  }

  /** A number field by its place in `Num`, as far as 31 bits go; -1 when the span does not tell. */
  told(field: number): number {
    return this.numRank[field] === 255 ? -1 : Math.min(this.num[field]!, 0x7fffffff)
  }

  /** Whether the span tells one of the number fields whose bits, by their place in `Num`, are set. */
  tells(fields: number): boolean {
    return (this.#numbers & fields) !== 0
  }

  /** A number field, -1 when the span does not tell. */
  numberOf(field: NumField): number {
    return this.numRank[Num[field]] === 255 ? -1 : this.num[Num[field]]!
  }
}
