/** What a call of the judge can cost at most, and what it did cost. */
import type { ModelPrice } from '../../cost/price.ts'
import type { Usage } from './provider.ts'

/** Tokens that an endpoint adds for roles, for the schema and for how to answer by it. */
const ADDED_TOKENS = 2000

/** USD. No token is shorter than a byte, so a text has no more tokens than bytes; a budget takes each of them at the dearest price there is for it. */
export function mostUsd(price: ModelPrice, bytes: number, maxTokens: number, timeoutSeconds: number): number {
  const input = bytes + ADDED_TOKENS
  const tiers = price.tiers.filter((tier, i) => i === 0 || input > tier.aboveInputTokens)
  const perMillion = Math.max(...tiers.map((tier) => input * Math.max(tier.input, tier.cachedInput, tier.cacheWrite) + maxTokens * Math.max(tier.output, tier.reasoning)))
  return perMillion / 1e6 + price.perRequest + price.perSecond * timeoutSeconds
}

/** Shaped as cost/ counts tokens. */
export function tokensOf({ input, cachedInput, cacheWrite, output }: Usage): { input: number; output: number; cachedInput: number; cacheWrite: number; reasoning: number } {
  return { input, output, cachedInput, cacheWrite, reasoning: 0 }
}
