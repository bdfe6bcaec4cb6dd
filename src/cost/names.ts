/** Providers and models as instrumentations write them, in the words of the price table. */

/** Ids of @pydantic/genai-prices by what the written name contains; the first rule that matches wins. */
const PROVIDERS: readonly (readonly [RegExp, string])[] = [
  [/azure|^az[._-]/, 'azure'],
  [/bedrock|amazon|^aws/, 'aws'],
  [/^huggingface_/, ''],
  [/openrouter/, 'openrouter'],
  [/copilot/, 'github-copilot'],
  [/vertex|gemini|google|^gcp/, 'google'],
  [/anthropic/, 'anthropic'],
  [/^x[-_.]?ai/, 'x-ai'],
  [/^mistral/, 'mistral'],
  [/^together/, 'together'],
  [/^fireworks/, 'fireworks'],
  [/^groq/, 'groq'],
  [/^deepseek/, 'deepseek'],
  [/^perplexity/, 'perplexity'],
  [/^cohere/, 'cohere'],
  [/^cerebras/, 'cerebras'],
  [/^moonshot/, 'moonshotai'],
  [/^voyage/, 'voyageai'],
  [/^novita/, 'novita'],
  [/^cloudflare|^workers[-_]?ai/, 'cloudflare'],
  [/openai/, 'openai'],
]

/** A client for servers that speak OpenAI's API and are someone else's: says nothing about who is paid. */
const COMPATIBLE = /openai[-_. ]?(like|compat)/
/** What runs here is paid by the machine, not by the token, however its models are named. */
const LOCAL = /ollama|vllm|llama[-_.]?cpp|llamafile|lm[-_ ]?studio|localai|sglang|^tgi$|text[-_]generation[-_]inference/

/** '' for a name that is no provider's: a framework, a gateway, a server of one's own. */
export function providerOf(written: string): string {
  const name = written.trim().toLowerCase()
  return COMPATIBLE.test(name) ? '' : (PROVIDERS.find(([pattern]) => pattern.test(name))?.[1] ?? '')
}

/** A vendor's models on Bedrock: `us.anthropic.claude-3-5-sonnet-20241022-v2:0`, also at the end of an ARN. */
const BEDROCK = /^(arn:aws[\w-]*:bedrock:|((us|eu|apac|jp|au|ca|us-gov|global)\.)?(anthropic|amazon|meta|mistral|cohere|ai21|deepseek|openai|qwen|stability|writer|twelvelabs)\.)/
/** `llama3:8b`, `deepseek-r1:latest`: weights on one's own machine, whichever vendor's name they carry. */
const TAGGED_WEIGHTS = /:(latest|\d+(\.\d+)?[bm])\b/
/** Models that say whose they are although the price table's own rules miss them: embedding spans often tell no provider. */
const VENDORS: readonly (readonly [RegExp, string])[] = [
  [/^(text-embedding-(ada|3)|chatgpt-|codex-|computer-use-)/, 'openai'],
  [/^text-embedding-00\d/, 'google'],
  [/^(embed|rerank)-(english|multilingual|v\d)/, 'cohere'],
]
/** No model has a longer name; a regular expression meets no more of what a stranger sent. */
const LONGEST = 256

/** `gpt-x-2026-05-01`, `claude-x-20260501`, `claude-x@20260501`, `mistral-x-latest`: the model without the day it is of; what has none stays as it is. */
export function undated(model: string): string {
  return model.replace(/(?:[-@]\d{4}-\d{2}-\d{2}|[-@]20\d{6}|-latest)(?:-v\d+(?::\d+)?)?$/, '') || model
}

/** One name for what a provider's bill and a span write in their own ways: without provider, region, date and version. */
export function canonical(model: string): string {
  const name = model.trim().toLowerCase().slice(0, LONGEST)
  const bare = name.slice(name.lastIndexOf('/') + 1)
  return undated(BEDROCK.test(bare) ? bare.replace(/^((us|eu|apac|jp|au|ca|us-gov|global)\.)?[a-z0-9]+\./, '') : bare)
}

/** `[provider id, model]` in the order to try; '' leaves the provider to the model's name. */
export function candidates(provider: string, model: string): [string, string][] {
  const name = model.trim().toLowerCase().slice(0, LONGEST)
  const written = provider.trim().toLowerCase()
  if (name === '' || LOCAL.test(written)) return []
  const found: [string, string][] = []
  if (BEDROCK.test(name)) found.push(['aws', name.slice(name.lastIndexOf('/') + 1)])
  const bare = /(?:^|\/)(?:models|deployments)\/([^/]+)$/.exec(name)?.[1] ?? name
  const vendor = providerOf(written) || (COMPATIBLE.test(written) ? '' : written)
  if (vendor !== '') found.push([vendor, name], [vendor, bare])
  const [, prefix, rest] = /^([a-z0-9_.-]+)[/:](.+)$/.exec(bare) ?? []
  if (prefix !== undefined && rest !== undefined && providerOf(prefix) !== '') found.push(...candidates(prefix, rest))
  if (TAGGED_WEIGHTS.test(bare)) return found
  found.push(['', bare])
  const maker = VENDORS.find(([pattern]) => pattern.test(bare))?.[1]
  if (maker !== undefined) found.push([maker, bare])
  return found
}
