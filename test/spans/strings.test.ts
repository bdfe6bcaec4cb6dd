import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EMPTY, hashTwice, OVERFLOW, OVERFLOW_TEXT, StringTable } from '../../src/spans/strings.ts'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encode = (text: string) => new TextEncoder().encode(text)

describe('a number for each string', () => {
  test('equal strings have one number and different ones never share it', () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.toWellFormed()), { maxLength: 200 }), (texts) => {
      const table = new StringTable({ capacity: 1024, maxLengthBytes: 200 })
      const numbers = texts.map((text) => table.internText(text))
      expect(new Set(numbers).size).toBe(new Set(texts).size)
      expect(numbers.map((number) => table.text(number))).toEqual(texts)
      expect(texts.map((text) => table.internText(text))).toEqual(numbers)
    }), { numRuns: 100 })
  })

  test('of bytes from the middle of a body', () => {
    const table = new StringTable()
    const body = encode('xxacmexx')
    expect(table.intern(body, 2, 4)).toBe(table.internText('acme'))
    expect(table.intern(body.subarray(2), 0, 4)).toBe(table.internText('acme'))
    expect([table.internText(''), table.internText(OVERFLOW_TEXT)]).toEqual([EMPTY, OVERFLOW])
  })

  test('a byte order mark is part of the string', () => {
    const table = new StringTable()
    expect(table.internText('\uFEFFacme')).not.toBe(table.internText('acme'))
    expect(table.text(table.internText('\uFEFFacme'))).toBe('\uFEFFacme')
  })

  test('bytes that are no UTF-8 are read as a browser reads them, and have the number of what is read', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (raw) => {
      const table = new StringTable({ capacity: 64, maxLengthBytes: 200 })
      const number = table.intern(raw, 0, raw.length)
      expect(table.text(number)).toBe(decoder.decode(raw))
      expect(table.internText(decoder.decode(raw))).toBe(number)
    }), { numRuns: 500 })
  })

  test('a long string is cut between characters, and never to nothing', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'grapheme', minLength: 10, maxLength: 60 }).map(encode), fc.uint8Array({ minLength: 17, maxLength: 60 })), (raw) => {
      const table = new StringTable({ capacity: 64, maxLengthBytes: 16 })
      const text = table.text(table.intern(raw, 0, raw.length))
      expect(encode(text).length).toBeLessThanOrEqual(16)
      expect(text).not.toBe('')
      // Where the bytes are UTF-8 nothing but the end is missing.
      if (decoder.decode(raw).length > 0 && encode(decoder.decode(raw)).length === raw.length && !decoder.decode(raw).includes('\uFFFD')) {
        expect(decoder.decode(raw).startsWith(text)).toBe(true)
        expect(encode(text).length).toBeGreaterThan(Math.min(raw.length, 16) - 4)
      }
    }), { numRuns: 500 })
  })
})

describe('a table has an end', () => {
  test('what no longer fits is the overflow, and is counted', () => {
    const table = new StringTable({ capacity: 10 })
    const numbers = Array.from({ length: 20 }, (_, i) => table.internText(`name ${i}`))
    expect(numbers.filter((number) => number === OVERFLOW).length).toBe(12)
    expect([table.overflowed, table.size]).toEqual([12, 10])
    expect(table.internText('name 3')).toBe(numbers[3])
  })

  test('a sweep frees what nobody marks, and what is marked or pinned keeps its number and its text', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(40), fc.boolean()), { maxLength: 120 }), fc.array(fc.nat(40), { maxLength: 30 }), (first, second) => {
      const table = new StringTable({ capacity: 64 })
      const pinned = table.pin('pinned')
      const known = new Map(first.map(([n]) => [`text ${n}`, table.internText(`text ${n}`)]))
      const live = new Map(first.filter(([, keep]) => keep).map(([n]) => [`text ${n}`, known.get(`text ${n}`)!]))
      const generation = table.generation
      table.sweep((marks) => { for (const number of live.values()) marks[number] = 1 })
      expect([table.generation, table.size]).toEqual([generation + 1, 3 + live.size])
      const after = new Map(second.map((n) => [`other ${n}`, table.internText(`other ${n}`)]))
      for (const [text, number] of [...live, ...after]) expect([text, table.text(number), table.internText(text)]).toEqual([text, text, number])
      expect(table.internText('pinned')).toBe(pinned)
      expect(new Set([...live.values(), ...after.values(), pinned]).size).toBe(live.size + after.size + 1)
    }), { numRuns: 200 })
  })

  test('a month of new names in a small table', () => {
    const table = new StringTable({ capacity: 100 })
    for (let i = 0; i < 10_000; i++) {
      if (table.crowded) table.sweep(() => {})
      expect(table.text(table.internText(`name ${i}`))).toBe(`name ${i}`)
    }
    expect(table.overflowed).toBe(0)
  })
})

describe('two hashes of an id', () => {
  const hashed = (bytes: Uint8Array, start = 0, length = bytes.length): string => {
    const to = new Int32Array(2)
    hashTwice(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), start, length, to)
    return to.join()
  }

  test('are others for any other byte and any other length, and the same wherever it lies', () => {
    const id = encode('chatcmpl-BzXkT0q3mWv8YdLr5NfHs7PaUeJc')
    const seen = new Set<string>()
    let ids = 0
    for (let length = 1; length <= id.length; length++) {
      for (let at = 0; at < length; at++) {
        for (const bit of [1, 32]) {
          const other = id.slice(0, length)
          other[at]! ^= bit
          seen.add(hashed(other))
          ids++
        }
      }
      expect(hashed(encode(`x${decoder.decode(id)}`), 1, length)).toBe(hashed(id, 0, length))
      seen.add(hashed(id, 0, length))
      ids++
    }
    expect(seen.size).toBe(ids)
  })

  test('each of which is spread over all its bits', () => {
    const slots = [new Set<number>(), new Set<number>()]
    const to = new Int32Array(2)
    const bits = [0, 0]
    for (let i = 0; i < 20_000; i++) {
      const id = encode(`resp_${i.toString(16).padStart(24, '0')}`)
      hashTwice(new DataView(id.buffer), 0, id.length, to)
      for (const lane of [0, 1]) {
        slots[lane]!.add(to[lane]! & 0xffff)
        bits[lane]! += to[lane]! < 0 ? 1 : 0
      }
    }
    // Of 65,536 slots 20,000 at random take 17,231, give or take 46.
    for (const lane of [0, 1]) {
      expect(slots[lane]!.size).toBeGreaterThan(16_900)
      expect(Math.abs(bits[lane]! - 10_000)).toBeLessThan(500)
    }
  })
})
