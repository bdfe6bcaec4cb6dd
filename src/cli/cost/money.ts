/** Amounts as whole picodollars: sums of them are exact, in any order. */
export type Pico = bigint

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?(?:e([+-]?\d{1,2}))?$/i
const DIGITS = 12

/** `0.06`, `123.45`, `1e-7`: the decimal number as it is written, times 10^`shift`; less than a picodollar is rounded. Undefined when it is none. */
export function picoOf(text: string, shift = 0): Pico | undefined {
  const match = DECIMAL.exec(text.trim())
  if (match === null) return undefined
  const [, sign, whole, fraction = '', exponent = '0'] = match
  const places = DIGITS + shift + Number(exponent) - fraction.length
  const digits = BigInt(`${whole}${fraction}`)
  const pico = places >= 0 ? digits * 10n ** BigInt(places) : rounded(digits, 10n ** BigInt(-places))
  return sign === '-' ? -pico : pico
}

export function picoOfUsd(usd: number): Pico {
  return BigInt(Math.round(usd * 1e12))
}

/** USD with six digits, or with cents alone where there is no more. */
export function usdText(pico: Pico): string {
  const micro = rounded(pico < 0n ? -pico : pico, 1_000_000n)
  const text = `${micro / 1_000_000n}.${String(micro % 1_000_000n).padStart(6, '0').replace(/0{1,4}$/, '')}`
  return pico < 0n && micro !== 0n ? `-${text}` : text
}

function rounded(value: bigint, by: bigint): bigint {
  return (value + by / 2n) / by
}
