/**
 * Every key of the configuration, once: how it is read, its default and what it is for. The loader, the environment
 * names, the flags of `serve` and the reference in the docs follow from this table.
 */
import { z } from 'zod'
import { readPattern, readPatterns } from './pattern.ts'
import { readAddress, readAmount, readCount, readDurationSeconds, readIds, readFlag, reading, readLabels, readLink, readNumber, readOneOf, readShare, readSizeBytes, readText, readTexts, readUrl } from './values.ts'

/** As label `type` and label `step` have them. */
const ERROR_TYPES = ['rate_limit', 'validation_failed', 'model_unavailable', 'timeout', '4xx', '5xx', 'malformed_response', 'context_overflow', 'stale_data', 'deadlock', 'timeout_inference', 'unclassified'] as const
const STEPS = ['model', 'embedding', 'retrieval', 'tool', 'state', 'guardrail', 'agent', 'evaluation'] as const

/** As label `reason` has them. */
const AVOIDABLE = ['retry_waste', 'duplicate_call', 'abandoned', 'cache_miss', 'context_bloat', 'model_downgrade'] as const

const JUDGES = ['anthropic', 'openai', 'autoevals'] as const
const JUDGED_ALWAYS = ['error', 'low_unit_score', 'new_version'] as const
/** Those of autoevals that need no expected answer and make one call. */
const SCORERS = ['ClosedQA', 'Possible', 'Security', 'Humor'] as const

const address = (fallback: string, about: string) => key(readAddress, fallback, about)
const seconds = (fallback: string, about: string) => key(readDurationSeconds, fallback, about)
const bytes = (fallback: string, about: string) => key(readSizeBytes, fallback, about)
const count = (fallback: number, least: number, most: number, about: string) => key((value) => readCount(value, least, most), fallback, about)

/** An API that is asked more often counts that as an attack. */
function readPause(value: unknown): number {
  const pause = readDurationSeconds(value)
  if (pause < 5) throw new Error(`expected a duration of at least 5s, got ${JSON.stringify(value)}`)
  return pause
}

export const schema = z.strictObject({
  httpAddress: address('127.0.0.1:4318', 'OTLP/HTTP is received here.'),
  grpcAddress: address('127.0.0.1:4317', 'OTLP/gRPC is received here.'),
  webAddress: address('127.0.0.1:9464', 'Metrics, health and the pager page are served here.'),

  settleGrace: seconds('5s', 'How long after its root span has come a request is settled, so that the last children are in it.'),
  idleTimeout: seconds('10m', 'A request whose root never comes settles as unfinished after this long without a span.'),
  lateWindow: seconds('60s', 'How long a settled request is remembered, for late spans and for duplicates.'),
  maxOpenRequests: count(200_000, 1, 10_000_000, 'Past this many open requests the oldest is settled at once.'),
  maxSpansPerRequest: count(10_000, 1, 1_000_000, 'Spans of one request past this are counted one by one, without their place in it.'),

  bodyLimit: bytes('16MiB', 'A request body that is larger, as sent, is answered 413.'),
  inflatedLimit: bytes('64MiB', 'A compressed body that is larger, once inflated, is answered 413.'),
  maxInFlight: bytes('256MiB', 'Bytes of bodies held at once; past it senders are told to come back.'),
  seriesLimit: count(100_000, 100, 10_000_000, 'Series of one metric; past it names become __overflow__.'),
  seriesExpiry: seconds('24h', 'A series not touched for this long is dropped.'),

  dataDir: key(readText, './data', 'The folder of the pager database. Made when it is not there.'),
  pricing: optional(readText, 'Path of a pricing.yaml with your own prices, over the list prices.'),
  expectations: optional(readText, 'Path of an expectations.yaml: what tools should give back and agents should answer. Checked on every request whose spans carry content.'),
  latencyPricing: z
    .strictObject({
      usdPerSecond: required(readAmount, 'USD for one second of a model call.'),
      applyTo: key((value) => readOneOf(value, ['unpriced', 'all']), 'unpriced', 'unpriced: only calls whose tokens have no price; all: every model call but those with a price of your own.'),
    })
    .optional()
    .describe('Cost by time instead of by tokens, for models that run on machines of your own.'),
  costSharing: key((value) => readOneOf(value, ['duration', 'tokens', 'equal']), 'duration', 'How the model calls of a request share a cost that a span tells for the whole of it alone: by duration, by tokens, or equal parts.'),

  savings: z
    .strictObject({
      reasons: key((value) => readTexts(value).map((reason) => readOneOf(reason, AVOIDABLE)), AVOIDABLE as unknown as string[], `What is told as avoidable cost: ${AVOIDABLE.join(', ')}.`),
      duplicateWindow: seconds('5m', 'The same input asked again within this time is a duplicate, in another request too.'),
      cacheLifetime: seconds('5m', 'How long a provider keeps the beginning of a prompt in its cache.'),
      contextMessages: count(50, 1, 100_000, 'Messages past which the context should have been compressed.'),
      contextTokens: optional((value) => readCount(value, 1, 100_000_000), 'Input tokens past which the context should have been compressed.'),
      hashAttributes: key(readTexts, [] as string[], 'Attributes in which your spans tell a hash of the whole input, by which a duplicate is known without content.'),
      downgrades: z
        .array(
          z.strictObject({
            from: required(readText, 'A model, or a glob.'),
            to: required(readText, 'The cheaper model that does as well.'),
            agent: optional(readText, 'Only for this agent, or a glob.'),
            step: optional(readText, 'Only where this agent within the request calls it, or a glob.'),
            withoutScores: key(readFlag, false, 'Also for an agent that nobody scores.'),
          }),
        )
        .max(1000, { error: 'expected at most 1000 downgrades' })
        .default([])
        .describe('Cheaper models that do as well, told of while the quality objective of the agent is met: from, to, agent, step.'),
    })
    .prefault({})
    .describe('What of the cost is told as avoidable.'),

  loki: z
    .strictObject({
      url: optional(readUrl, 'Where Loki is. A line for each failed, slow, expensive or low-quality request is pushed there; without it none is.'),
      tenant: optional(readText, 'Sent as X-Scope-OrgID, to a Loki that serves several tenants.'),
      username: optional(readText, 'For basic authentication, with passwordFile.'),
      passwordFile: optional(readText, 'Path of a file with the password. It is read again for every push.'),
      labels: key(readLabels, {} as Readonly<Record<string, string>>, 'Labels on every line, such as cluster=eu. Few and with few values: Loki keeps a stream for each combination.'),
      linesPerSecond: count(50, 1, 10_000, 'Lines a second; what is over is counted, and the next line of its kind stands for it.'),
      queueLimit: bytes('16MiB', 'Lines that wait while Loki cannot take them; past it the oldest go.'),
    })
    .prefault({})
    .describe('The log of unhealthy requests.'),

  pager: z
    .strictObject({
      prometheusUrl: optional(readUrl, 'Prometheus, for the scoreboard of all objectives, as http://127.0.0.1:9090.'),
      traceUrl: optional(readLink, 'What a trace id links to, with {trace_id} in it.'),
      logsUrl: optional(readLink, 'What the link to the logs leads to, with {tenant_id} and {agent} in it.'),
      demoUrl: optional(readUrl, "The demo's agents, for the panel that strikes them with faults, as http://127.0.0.1:9465."),
    })
    .prefault({})
    .describe('What the pager page shows beside its pages.'),

  staleAfter: optional(readDurationSeconds, 'How old may be what a retrieval or a tool finds, where the span tells its age or date and no limit of its own. Older is stale_data. Without it only a limit on the span counts.'),

  escalation: z
    .strictObject({
      people: optional(readPattern, 'A regular expression for the names of tools and agents behind which there is a person, in place of the usual words: human, escalate, live agent, manual review.'),
      models: key(readTexts, [] as string[], 'Models, the smallest first. When a call fails and a later one of them takes over, that is an escalation and not a fallback.'),
    })
    .prefault({})
    .describe('Whom agents ask when a call keeps failing.'),

  tenant: attributes('the tenant', 'tenant_id'),
  project: attributes('the project', 'project_id'),
  agent: attributes("the agent's name", 'gen_ai.agent.name'),

  judge: z
    .strictObject({
      provider: optional((value) => readOneOf(value, JUDGES), 'Who judges: anthropic, openai (or any endpoint that speaks its Chat Completions: baseUrl), or autoevals (a scorer of it, over such an endpoint). Without it nothing is judged.'),
      model: optional(readText, 'The model; without it claude-opus-4-7 of Anthropic, else gpt-5.5.'),
      baseUrl: optional(readUrl, "The endpoint, where it is not the provider's own, as http://127.0.0.1:11434/v1."),
      apiKeyFile: optional(readText, 'Path of a file with the key, read again for every call. Without it ANTHROPIC_API_KEY, or OPENAI_API_KEY, of the environment.'),
      share: key(readShare, 0.01, 'Share of the requests that are judged, from 0 to 1; the trace id decides, so that every bridge decides alike.'),
      always: key((value) => readTexts(value).map((text) => readOneOf(text, JUDGED_ALWAYS)), [] as string[], 'Judged besides the sample, as evaluators of their own: error, low_unit_score, new_version.'),
      lowUnitScore: key(readShare, 0.5, 'A score of the unit layer below this is low.'),
      newVersionFor: seconds('1h', 'How long after its first request a version of an agent is new.'),
      rubric: optional(readText, 'Path of a rubric of your own: YAML with name, version and instructions.'),
      scorer: key((value) => readOneOf(value, SCORERS), 'ClosedQA', 'The scorer of autoevals: ClosedQA, Possible, Security or Humor.'),
      criteria: key(readText, 'The submission is correct, complete and answers the task.', 'What ClosedQA asks of an answer.'),
      usdPerDay: key(readAmount, 10, 'USD that judging may cost in a day (UTC), reserved before each call. Of each bridge.'),
      tenantUsdPerDay: key(readAmount, 2, 'USD of it for one tenant.'),
      tenantRequestsPerDay: count(500, 0, 10_000_000, 'Requests of one tenant that are judged in a day.'),
      tenants: z
        .array(
          z.strictObject({
            tenant: required(readText, 'The tenant.'),
            usdPerDay: optional(readAmount, 'In place of tenantUsdPerDay.'),
            requestsPerDay: optional((value) => readCount(value, 0, 10_000_000), 'In place of tenantRequestsPerDay.'),
          }),
        )
        .max(10_000, { error: 'expected at most 10000 tenants' })
        .default([])
        .describe('Tenants with limits of their own; 0 is none of it.'),
      queueLimit: count(1000, 1, 100_000, 'Requests that wait to be judged; past it they are not, and counted.'),
      concurrency: count(2, 1, 64, 'Calls at once.'),
      timeout: seconds('60s', 'A call that takes longer is given up.'),
      maxTokens: count(1024, 64, 128_000, 'Most tokens of an answer of the judge, its thinking included.'),
      redactBuiltIn: key(readFlag, true, 'Whether e-mail addresses, phone and card numbers, keys and tokens are taken out of what is sent.'),
      redactPatterns: key(readPatterns, [] as string[], 'Regular expressions of your own for what is taken out. Without regard to case.'),
      redact: optional(readText, 'Path of a module whose default export (text, { tenant, agent, part }) => text has the last word on what is sent.'),
    })
    .prefault({})
    .describe('Marks by a model for some of the requests.'),

  scores: z
    .strictObject({
      rememberFor: seconds('24h', 'How long it is remembered whose a request was, for scores that come by trace id after it.'),
      rememberTraces: count(200_000, 0, 10_000_000, 'Of so many requests, the newest; 70 bytes of memory each.'),
      tokenFile: optional(readText, 'Path of a file with the bearer token that POST /v1/scores and GET /v1/calibration ask for. Read again for each request; without it they ask for none.'),
      scales: z
        .array(
          z.strictObject({
            evaluator: optional(readText, 'Of this evaluator alone; without it of all that have none of their own.'),
            worst: required(readNumber, 'The score that becomes 0.'),
            best: required(readNumber, 'The score that becomes 1. It may be the lesser one.'),
          }),
        )
        .max(1000, { error: 'expected at most 1000 scales' })
        .default([])
        .describe('Scales of evaluators, where they are not from 0 to 1 with 1 for good.'),
      labels: z
        .array(
          z.strictObject({
            label: required(readText, 'The word, in any case of letters.'),
            value: required(readShare, 'What it is worth, from 0 to 1.'),
            evaluator: optional(readText, 'Of this evaluator alone.'),
          }),
        )
        .max(1000, { error: 'expected at most 1000 labels' })
        .default([])
        .describe('Results in a word, besides those that are known anyway: pass, correct, relevant, good and their opposites.'),
      langsmith: source('https://api.smith.langchain.com', 'LangSmith, for its feedback', 'Tracing projects, by their ids; without them all that the key sees.'),
      braintrust: source('https://api.braintrust.dev', 'Braintrust, for the scores in its logs', 'Projects, by their ids.'),
    })
    .prefault({})
    .describe('Scores that others give: elsewhere, or over HTTP.'),

  objectives: z
    .array(
      z
        .strictObject({
          objective: optional(readText, 'Name of the objective, as in alerts/objectives.json.'),
          limit: optional(readNumber, 'The limit in place of the documented one, in its unit.'),
          profile: optional(readText, 'In place of objective and limit: all limits that alerts/objectives.json has under this name.'),
          tenant: optional(readText, 'Only for this tenant.'),
          agent: optional(readText, 'Only for this agent.'),
        })
        .superRefine(oneLimitOrProfile),
    )
    .max(10_000, { error: 'expected at most 10000 objectives' })
    .default([])
    .describe('Limits of your own, each by itself or as a profile: for everyone, for a tenant, for an agent, or for one agent of one tenant.'),

  errors: z
    .array(
      z.strictObject({
        match: required(readPattern, 'A regular expression for the words of the error: its class, its message. Without regard to case.'),
        type: required((value) => readOneOf(value, ERROR_TYPES), `What it is: ${ERROR_TYPES.join(', ')}.`),
        step: optional((value) => readOneOf(value, STEPS), `Only of this step: ${STEPS.join(', ')}.`),
      }),
    )
    .max(100, { error: 'expected at most 100 errors' })
    .default([])
    .describe('Errors of your own, for those that would be unclassified or mean something else to you. The first that matches decides, before the rules that are known anyway.'),
})

export type Values = z.output<typeof schema>

function oneLimitOrProfile(row: { objective?: string | undefined; limit?: number | undefined; profile?: string | undefined }, context: z.RefinementCtx): void {
  const fail = (message: string, path: string[] = []) => context.addIssue({ code: 'custom', message, path })
  if (row.profile !== undefined) {
    if (row.objective !== undefined || row.limit !== undefined) fail('expected no profile where there is an objective or a limit', ['profile'])
  } else if (row.objective === undefined && row.limit === undefined) fail('expected an objective and its limit, or a profile')
  else if (row.objective === undefined) fail('expected a text, got nothing', ['objective'])
  else if (row.limit === undefined) fail('expected a number, got nothing', ['limit'])
}

function source(url: string, what: string, projects: string) {
  return z
    .strictObject({
      apiKeyFile: optional(readText, `Path of a file with the key of ${what}. Without it nothing is read there.`),
      url: key(readUrl, url, 'Where its API is.'),
      projects: key(readIds, [] as string[], projects),
      every: key(readPause, '1m', 'How often it is asked for what is new.'),
    })
    .prefault({})
    .describe(`${what.split(',')[0]!}, asked again and again.`)
}

function attributes(what: string, example: string) {
  return z
    .strictObject({
      attributes: key(readTexts, [] as string[], `Attribute keys of your own, the first one first, before those that are known anyway, such as ${example}.`),
    })
    .prefault({})
    .describe(`Which span or resource attributes tell ${what}.`)
}

/** A value that is read by `read` and is `fallback` where nothing is written; `fallback` is written as people would. */
function key<T, F>(read: (value: unknown) => T, fallback: F, about: string) {
  return z.unknown().prefault(fallback).transform(reading(read)).describe(about)
}

function optional<T>(read: (value: unknown) => T, about: string) {
  return z.unknown().transform(reading(read)).optional().describe(about)
}

function required<T>(read: (value: unknown) => T, about: string) {
  return z.unknown().transform(reading(read)).describe(about)
}
