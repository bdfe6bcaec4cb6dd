/** What a service tier costs against the standard one, where the price table says nothing of it: as the providers publish it. */
import { ServiceTier } from '../spans/names.ts'

/**
 * Batches are half price at all of these (OpenAI, Azure, Anthropic, Google, Amazon, Mistral, Groq). OpenAI's flex costs as its batches do; Groq's costs
 * as always. Priority is dearer by model: openai.com/api-priority-processing against the standard prices. Anthropic's is a commitment, paid apart.
 */
const FACTORS: readonly { readonly provider: RegExp; readonly model: RegExp; readonly tier: number; readonly factor: number }[] = [
  { provider: /^(openai|azure|anthropic|google|aws|mistral|groq)$/, model: /^/, tier: ServiceTier.batch, factor: 0.5 },
  { provider: /^openai$/, model: /^/, tier: ServiceTier.flex, factor: 0.5 },
  { provider: /^groq$/, model: /^/, tier: ServiceTier.flex, factor: 1 },
  { provider: /^openai$/, model: /^gpt-5([.\d]*)?-mini/, tier: ServiceTier.priority, factor: 1.8 },
  { provider: /^openai$/, model: /^gpt-5/, tier: ServiceTier.priority, factor: 2 },
  { provider: /^openai$/, model: /^gpt-4\.1-nano/, tier: ServiceTier.priority, factor: 2 },
  { provider: /^openai$/, model: /^gpt-4\.1/, tier: ServiceTier.priority, factor: 1.75 },
  { provider: /^openai$/, model: /^gpt-4o-mini/, tier: ServiceTier.priority, factor: 5 / 3 },
  { provider: /^openai$/, model: /^gpt-4o-2024-05-13/, tier: ServiceTier.priority, factor: 1.75 },
  { provider: /^openai$/, model: /^gpt-4o/, tier: ServiceTier.priority, factor: 1.7 },
  { provider: /^openai$/, model: /^o3/, tier: ServiceTier.priority, factor: 1.75 },
  { provider: /^openai$/, model: /^o4-mini/, tier: ServiceTier.priority, factor: 20 / 11 },
  { provider: /^anthropic$/, model: /^/, tier: ServiceTier.priority, factor: 1 },
]

/** Undefined where nobody says. `provider` as the list prices have it, '' for any whose model this is. */
export function publishedFactor(provider: string, model: string, tier: number): number | undefined {
  return FACTORS.find((one) => one.tier === tier && (provider === '' ? vendorOf(model) : [provider]).some((vendor) => one.provider.test(vendor)) && one.model.test(model))?.factor
}

function vendorOf(model: string): readonly string[] {
  if (/^(gpt-|o\d|text-embedding-|chatgpt-)/.test(model)) return ['openai']
  if (/^claude-/.test(model)) return ['anthropic']
  if (/^gemini-/.test(model)) return ['google']
  return []
}
