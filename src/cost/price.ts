/** The price of a model, and what a call costs by it. */

/** USD per million tokens, in force for calls with more than `aboveInputTokens`. */
export interface TokenPrices {
  readonly aboveInputTokens: number
  readonly input: number
  readonly output: number
  readonly cachedInput: number
  readonly cacheWrite: number
  readonly reasoning: number
}

/** What is said holds for calls in [from, until): prices change by date, and some by the time of day. */
export interface Validity {
  readonly validFromMs: number
  readonly validUntilMs: number
}

export interface ModelPrice extends Validity {
  /** The model's name in the price table. */
  readonly id: string
  readonly source: 'own' | 'list' | 'latency'
  /** `basis` of agent_cost_usd_total. */
  readonly basis: 'tokens' | 'latency'
  /** False when a call without token counts can be priced: per request, per second, or free. */
  readonly needsTokens: boolean
  /** Ascending by `aboveInputTokens`; the first holds from no tokens on. */
  readonly tiers: readonly [TokenPrices, ...TokenPrices[]]
  /** USD. */
  readonly perRequest: number
  readonly perSecond: number
}

/** What a tool or a retrieval costs, in USD; 0 where the user set no price. */
export interface CallPrice extends Validity {
  /** The entry of the user's file. */
  readonly match?: string
  readonly perCall: number
  readonly perSecond: number
}

/** The price with its tokens and requests at a multiple, as a service tier has it. */
export function scaled(price: ModelPrice, factor: number): ModelPrice {
  if (factor === 1) return price
  const times = ({ aboveInputTokens, ...prices }: TokenPrices): TokenPrices => ({ aboveInputTokens, ...(Object.fromEntries(Object.entries(prices).map(([key, usd]) => [key, usd * factor])) as Omit<TokenPrices, 'aboveInputTokens'>) })
  const [first, ...rest] = price.tiers
  return { ...price, tiers: [times(first), ...rest.map(times)], perRequest: price.perRequest * factor }
}

/** `input` includes `cachedInput` and `cacheWrite`, `output` includes `reasoning`. */
export interface TokenCounts {
  readonly input: number
  readonly output: number
  readonly cachedInput: number
  readonly cacheWrite: number
  readonly reasoning: number
}

/** USD of one call. Subsets are taken out of what they are part of, and never exceed it, whatever the span says. */
export function cost(price: ModelPrice, tokens: TokenCounts, durationSeconds: number): number {
  const input = tokens.input > 0 ? tokens.input : 0
  const output = tokens.output > 0 ? tokens.output : 0
  const cached = within(tokens.cachedInput, input)
  const write = within(tokens.cacheWrite, input - cached)
  const reasoning = within(tokens.reasoning, output)
  let tier = price.tiers[0]
  for (let i = 1; i < price.tiers.length && input > price.tiers[i]!.aboveInputTokens; i++) tier = price.tiers[i]!
  const perMillion =
    (input - cached - write) * tier.input + cached * tier.cachedInput + write * tier.cacheWrite +
    (output - reasoning) * tier.output + reasoning * tier.reasoning
  return perMillion / 1e6 + price.perRequest + price.perSecond * (durationSeconds > 0 ? durationSeconds : 0)
}

function within(part: number, whole: number): number {
  return part > 0 ? Math.min(part, whole) : 0
}
