/** Numbers that repeat for a seed: every peer is sent the same payloads, and every run of the benchmark too. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = 0x2545f491
    this.#c = 0x9e3779b9 | 0
    for (let i = 0; i < 16; i++) this.word()
  }

  /** 32 random bits, unsigned (sfc32: a period of 2^32 at the least, 2^127 on average). */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** From 0 to 1, without 1. */
  unit(): number {
    return this.word() / 4294967296
  }

  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.unit() * (most - least + 1))
  }

  /** Around `median`, skewed to the right as latencies are: one in 40 is longer than `spread` squared times the median. */
  latency(median: number, spread: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit())
    return Math.round(median * spread ** Math.max(-3, Math.min(3, normal)))
  }

  hex(characters: number): string {
    let text = ''
    while (text.length < characters) text += this.word().toString(16).padStart(8, '0')
    return text.slice(0, characters)
  }
}
