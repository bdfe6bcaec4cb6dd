/** Intervals of 95 %. */

/** Of the normal distribution, 97.5 %. */
export const Z = 1.959963984540054

/** Wilson's score interval of a share of `n`. */
export function wilson(share: number, n: number): { lower: number; upper: number } {
  const z2 = Z * Z
  const center = (share + z2 / (2 * n)) / (1 + z2 / n)
  const margin = (Z / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))
  // Of none and of all a bound is the share itself, which the last digit of the sums may miss.
  return { lower: share === 0 ? 0 : Math.max(0, center - margin), upper: share === 1 ? 1 : Math.min(1, center + margin) }
}

const FEW = [12.7062, 4.3027, 3.1824, 2.7764] as const

/** Of Student's distribution, 97.5 %: from a table for few degrees of freedom, else by Cornish and Fisher's expansion, right to three digits. */
export function studentQuantile(degrees: number): number {
  const few = FEW[degrees - 1]
  if (few !== undefined) return few
  const z = Z
  return z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2) + (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3)
}
