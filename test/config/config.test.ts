import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { allSettings } from '../../src/config/keys.ts'
import { loadPricing } from '../../src/config/pricing.ts'
import { writeAddress } from '../../src/config/values.ts'
import { ConfigError } from '../../src/config/problems.ts'

const folder = mkdtempSync(join(tmpdir(), 'spanbridge-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(text: string, name = 'spanbridge.yaml'): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** The problems, without the folder. */
function problems(load: () => unknown): string[] {
  try {
    load()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => problem.replace(`${folder}/`, ''))
    throw error
  }
  return []
}

describe('a configuration', () => {
  it('is sensible with no file at all', () => {
    const config = loadConfig()
    expect([config.httpAddress, config.grpcAddress, config.webAddress].map(writeAddress)).toEqual(['127.0.0.1:4318', '127.0.0.1:4317', '127.0.0.1:9464'])
    expect(config).toMatchObject({ settleGraceSeconds: 5, idleTimeoutSeconds: 600, lateWindowSeconds: 60, maxOpenRequests: 200_000, bodyLimitBytes: 16 * 1024 ** 2, seriesExpirySeconds: 86_400 })
    expect(config.tenantAttributes).toEqual([])
    expect(config.warnings).toEqual([])
  })

  it('is the same for an empty file and for keys with nothing after them', () => {
    expect(loadConfig({ flags: { config: file('# nothing yet\n') } })).toEqual(loadConfig())
    expect(loadConfig({ flags: { config: file('pricing:\ntenant:\n  attributes:\n') } })).toEqual(loadConfig())
  })

  it('takes flags over the environment over the file over the defaults', () => {
    const config = file('httpAddress: 1.1.1.1:1\ngrpcAddress: 1.1.1.1:2\nwebAddress: 1.1.1.1:3\n')
    const env = { SPANBRIDGE_CONFIG: config, SPANBRIDGE_HTTP_ADDRESS: '2.2.2.2:1', SPANBRIDGE_GRPC_ADDRESS: '2.2.2.2:2', SPANBRIDGE_SETTLE_GRACE: '' }
    const loaded = loadConfig({ flags: { httpAddress: '3.3.3.3:1' }, env })
    expect([loaded.httpAddress, loaded.grpcAddress, loaded.webAddress].map(writeAddress)).toEqual(['3.3.3.3:1', '2.2.2.2:2', '1.1.1.1:3'])
    expect(loaded.settleGraceSeconds).toBe(5)
  })

  it('reads every setting from its variable', () => {
    const examples: Record<string, string> = {
      SPANBRIDGE_DATA_DIR: '/tmp/pages', SPANBRIDGE_PRICING: '/tmp/p.yaml', SPANBRIDGE_EXPECTATIONS: '/tmp/e.yaml', SPANBRIDGE_LATENCY_PRICING_USD_PER_SECOND: '0.5', SPANBRIDGE_LATENCY_PRICING_APPLY_TO: 'all',
      SPANBRIDGE_TENANT_ATTRIBUTES: 'a, b', SPANBRIDGE_PROJECT_ATTRIBUTES: 'c', SPANBRIDGE_AGENT_ATTRIBUTES: 'd', SPANBRIDGE_OBJECTIVES: '[{"objective": "success-rate", "tenant": "acme", "limit": 0.99}, {"profile": "customer_service", "agent": "support"}]',
    }
    Object.assign(examples, {
      SPANBRIDGE_LOKI_URL: 'https://logs.example/loki-1/', SPANBRIDGE_LOKI_TENANT: 'team-a', SPANBRIDGE_LOKI_USERNAME: 'bridge', SPANBRIDGE_LOKI_PASSWORD_FILE: '/run/secrets/loki',
      SPANBRIDGE_STALE_AFTER: '30m',
      SPANBRIDGE_LOKI_LABELS: 'cluster=eu, zone=a=b',
      SPANBRIDGE_PAGER_PROMETHEUS_URL: 'http://prometheus:9090/', SPANBRIDGE_PAGER_DEMO_URL: 'http://demo:9465',
      SPANBRIDGE_PAGER_TRACE_URL: 'https://traces.example/?q={trace_id}', SPANBRIDGE_PAGER_LOGS_URL: 'https://logs.example/{tenant_id}/{agent}',
    })
    Object.assign(examples, {
      SPANBRIDGE_SAVINGS_CONTEXT_TOKENS: '100000', SPANBRIDGE_SAVINGS_HASH_ATTRIBUTES: 'app.prompt_hash', SPANBRIDGE_SAVINGS_REASONS: 'abandoned, cache_miss',
      SPANBRIDGE_SAVINGS_DOWNGRADES: '[{"from": "gpt-4o", "to": "gpt-4o-mini", "agent": "support", "withoutScores": true}]',
      SPANBRIDGE_JUDGE_PROVIDER: 'openai', SPANBRIDGE_JUDGE_MODEL: 'small', SPANBRIDGE_JUDGE_BASE_URL: 'http://models:8000/v1/', SPANBRIDGE_JUDGE_API_KEY_FILE: '/run/secrets/judge', SPANBRIDGE_JUDGE_ALWAYS: 'error, new_version',
      SPANBRIDGE_JUDGE_RUBRIC: '/etc/rubric.yaml', SPANBRIDGE_JUDGE_TENANTS: '[{"tenant": "acme", "usdPerDay": 5}]', SPANBRIDGE_JUDGE_REDACT: '/etc/redact.mjs', SPANBRIDGE_JUDGE_REDACT_PATTERNS: 'customer-[0-9]{4}, or so',
    })
    const project = '5f6b2f1e-8c0a-4b5e-9f5d-0a1b2c3d4e5f'
    Object.assign(examples, {
      SPANBRIDGE_SCORES_TOKEN_FILE: '/run/secrets/scores', SPANBRIDGE_SCORES_SCALES: '[{"evaluator": "stars", "worst": 1, "best": 5}]', SPANBRIDGE_SCORES_LABELS: '[{"label": "so-so", "value": 0.5}]',
      SPANBRIDGE_SCORES_LANGSMITH_API_KEY_FILE: '/run/secrets/langsmith', SPANBRIDGE_SCORES_BRAINTRUST_API_KEY_FILE: '/run/secrets/braintrust', SPANBRIDGE_SCORES_BRAINTRUST_PROJECTS: project,
      SPANBRIDGE_SCORES_LANGSMITH_EVERY: '30s',
    })
    const env: Record<string, string> = {}
    for (const { variable, fallback } of allSettings()) {
      env[variable] = examples[variable] ?? (/ADDRESS/.test(variable) ? `:${10_000 + Object.keys(env).length}` : String(fallback))
    }
    const config = loadConfig({ env })
    expect(config).toMatchObject({
      httpAddress: { host: '0.0.0.0', port: 10_000 }, staleAfterSeconds: 1800, dataDir: '/tmp/pages', pricing: '/tmp/p.yaml', expectations: '/tmp/e.yaml', latencyPricing: { usdPerSecond: 0.5, applyTo: 'all' },
      objectives: [{ objective: 'success-rate', tenant: 'acme', agent: '', limit: 0.99 }, { profile: 'customer_service', tenant: '', agent: 'support' }],
    })
    expect(config.loki).toEqual({
      url: 'https://logs.example/loki-1', tenant: 'team-a', user: { name: 'bridge', passwordFile: '/run/secrets/loki' },
      labels: { cluster: 'eu', zone: 'a=b' }, linesPerSecond: 50, queueLimitBytes: 16 * 1024 ** 2,
    })
    expect(config.pager).toEqual({
      prometheusUrl: 'http://prometheus:9090', demoUrl: 'http://demo:9465', traceUrl: 'https://traces.example/?q={trace_id}', logsUrl: 'https://logs.example/{tenant_id}/{agent}',
    })
    expect(config.savings).toEqual({
      reasons: ['abandoned', 'cache_miss'], duplicateWindowSeconds: 300, cacheLifetimeSeconds: 300, contextMessages: 50, contextTokens: 100_000, hashAttributes: ['app.prompt_hash'],
      downgrades: [{ from: 'gpt-4o', to: 'gpt-4o-mini', agent: 'support', step: undefined, withoutScores: true }],
    })
    expect(config.judge).toEqual({
      provider: 'openai', model: 'small', baseUrl: 'http://models:8000/v1', apiKeyFile: '/run/secrets/judge', share: 0.01, always: ['error', 'new_version'], lowUnitScore: 0.5, newVersionSeconds: 3600,
      rubric: '/etc/rubric.yaml', scorer: 'ClosedQA', criteria: 'The submission is correct, complete and answers the task.', usdPerDay: 10, tenantUsdPerDay: 2, tenantRequestsPerDay: 500,
      tenants: [{ tenant: 'acme', usdPerDay: 5, requestsPerDay: undefined }], queueLimit: 1000, concurrency: 2, timeoutSeconds: 60, maxTokens: 1024,
      redactBuiltIn: true, redactPatterns: [/customer-[0-9]{4}, or so/im], redact: '/etc/redact.mjs',
    })
    expect(config.scores).toEqual({
      rememberSeconds: 86_400, rememberTraces: 200_000, tokenFile: '/run/secrets/scores', scales: [{ evaluator: 'stars', worst: 1, best: 5 }], labels: [{ evaluator: undefined, label: 'so-so', value: 0.5 }],
      langsmith: { url: 'https://api.smith.langchain.com', apiKeyFile: '/run/secrets/langsmith', projects: [], everySeconds: 30 },
      braintrust: { url: 'https://api.braintrust.dev', apiKeyFile: '/run/secrets/braintrust', projects: [project], everySeconds: 60 },
    })
    expect(config.tenantAttributes).toEqual(['a', 'b'])
    expect(config.agentAttributes).toEqual(['d'])
  })

  it('reads scores nowhere else unless it has a key', () => {
    expect(loadConfig().scores).toMatchObject({ langsmith: undefined, braintrust: undefined, tokenFile: undefined })
    expect(loadConfig({ flags: { config: file('scores: { tokenFile: t, langsmith: { apiKeyFile: k } }\n') } }).scores).toMatchObject({ tokenFile: join(folder, 't'), langsmith: { apiKeyFile: join(folder, 'k') } })
  })

  it.each([
    ['scales: [{ evaluator: stars, worst: 1, best: 1 }]', 'scores.scales[0].best: expected another number than worst'],
    ['scales: [{ evaluator: stars, best: 1 }]', 'scores.scales[0].worst: expected a number, got nothing'],
    ['labels: [{ label: ok, value: 2 }]', 'scores.labels[0].value: expected a number from 0 to 1, got 2'],
    ['braintrust: { apiKeyFile: k }', 'scores.braintrust.projects: expected the ids of the projects whose scores are read'],
    ['braintrust: { apiKeyFile: k, projects: ["\') or 1"] }', 'scores.braintrust.projects: expected an id such as 5f6b2f1e-8c0a-4b5e-9f5d-0a1b2c3d4e5f, got "\') or 1"'],
    ['langsmith: { projects: [5f6b2f1e-8c0a-4b5e-9f5d-0a1b2c3d4e5f] }', 'scores.langsmith.apiKeyFile: expected the file of the key with which the projects are read'],
    ['langsmith: { apiKeyFile: k, every: 1s }', 'scores.langsmith.every: expected a duration of at least 5s, got "1s"'],
    ['langsmith: { apiKeyFile: k, apiKeyfile: x }', 'scores.langsmith.apiKeyfile: unknown key; did you mean "apiKeyFile"?'],
  ])('refuses scores: { %s }', (text, problem) => {
    expect(problems(() => loadConfig({ flags: { config: file(`scores: { ${text} }\n`) } }))).toEqual([`spanbridge.yaml:1: ${problem}`])
  })

  it('judges nothing unless it is told by whom, and then in one line', () => {
    expect(loadConfig().judge).toBeUndefined()
    expect(loadConfig({ flags: { config: file('judge: { share: 0.5 }\n') } }).judge).toBeUndefined()
    expect(loadConfig({ flags: { config: file('judge: { provider: anthropic }\n') } }).judge).toMatchObject({ model: 'claude-opus-4-7', baseUrl: undefined, share: 0.01, always: [], redactBuiltIn: true })
    expect(loadConfig({ flags: { config: file('judge: { provider: openai, rubric: mine.yaml, redact: ./out.mjs, apiKeyFile: key }\n') } }).judge).toMatchObject({ rubric: join(folder, 'mine.yaml'), redact: join(folder, 'out.mjs'), apiKeyFile: join(folder, 'key') })
  })

  it.each([
    ['provider: claude', 'judge.provider: expected anthropic or openai or autoevals, got "claude"'],
    ['provider: anthropic, share: 2', 'judge.share: expected a number from 0 to 1, got 2'],
    ['provider: anthropic, always: [errors]', 'judge.always: expected error or low_unit_score or new_version, got "errors"'],
    ['provider: openai, baseUrl: "http://models:8000/v1"', 'judge.model: expected the model that is served at baseUrl'],
    ['provider: autoevals, rubric: mine.yaml', 'judge.rubric: a scorer of autoevals has a rubric of its own'],
    ['provider: anthropic, redactBuiltIn: no way', 'judge.redactBuiltIn: expected true or false, got "no way"'],
    ['provider: anthropic, redactPatterns: ["(a+)+"]', 'judge.redactPatterns: expected a regular expression that is fast on any text: a repeat or a choice inside of a repeat, in "(a+)+"'],
    ['provider: anthropic, tenants: [{ tenant: a }, { tenant: a }]', 'judge.tenants: "a" is there twice'],
    ['provider: anthropic, tenants: [{ tenant: a, usdPerDays: 2 }]', 'judge.tenants[0].usdPerDays: unknown key; did you mean "usdPerDay"?'],
  ])('refuses judge: { %s }', (text, problem) => {
    expect(problems(() => loadConfig({ flags: { config: file(`judge: { ${text} }\n`) } }))).toEqual([`spanbridge.yaml:1: ${problem}`])
  })

  it('pushes no log unless it is told where', () => {
    expect(loadConfig().loki).toBeUndefined()
    expect(loadConfig({ env: { SPANBRIDGE_LOKI_URL: '' } }).loki).toBeUndefined()
    const config = file('loki: { url: "http://loki:3100", username: a, passwordFile: secret, labels: { cluster: eu } }\n')
    expect(loadConfig({ flags: { config } }).loki).toMatchObject({ url: 'http://loki:3100', user: { name: 'a', passwordFile: join(folder, 'secret') }, labels: { cluster: 'eu' } })
  })

  it.each([
    ['url: loki:3100', "spanbridge.yaml:1: loki.url: expected a URL such as http://127.0.0.1:3100, got \"loki:3100\""],
    ['url: "http://me:secret@loki"', 'spanbridge.yaml:1: loki.url: expected a URL such as http://127.0.0.1:3100, without a user in it'],
    ['username: a', 'spanbridge.yaml:1: loki.username: username and passwordFile go together'],
    ['labels: { "a-b": c }', 'spanbridge.yaml:1: loki.labels: expected a label name of letters, digits and _, got "a-b"'],
    ['labels: { event: c }', "spanbridge.yaml:1: loki.labels: event is a label of the bridge's own"],
  ])('refuses loki: { %s }', (text, problem) => {
    expect(problems(() => loadConfig({ flags: { config: file(`loki: { ${text} }\n`) } }))).toEqual([problem])
  })

  it('describes every setting', () => {
    for (const setting of allSettings().filter(({ composite }) => !composite)) expect(setting.about, setting.variable).toMatch(/\.$|…$/)
  })

  it('looks for the files that a file names beside it', () => {
    const config = file('pricing: prices/pricing.yaml\ndataDir: pages\n')
    expect(loadConfig({ flags: { config } })).toMatchObject({ pricing: join(folder, 'prices/pricing.yaml'), dataDir: join(folder, 'pages') })
    expect(loadConfig({ flags: { config, dataDir: 'here' } }).dataDir).toBe(join(process.cwd(), 'here'))
  })

  it.each([
    ['127.0.0.1:0', '127.0.0.1', 0],
    [':4318', '0.0.0.0', 4318],
    ['[::1]:4318', '::1', 4318],
    ['localhost:4318', 'localhost', 4318],
  ])('reads the address %s', (text, host, port) => {
    expect(loadConfig({ flags: { httpAddress: text } }).httpAddress).toEqual({ host, port })
  })

  it.each([['5s', 5], ['500ms', 0.5], ['1h30m', 5400], ['0', 0], ['2.5', 2.5], ['1d', 86_400]])('reads the duration %s', (text, seconds) => {
    expect(loadConfig({ flags: { settleGrace: text } }).settleGraceSeconds).toBe(seconds)
  })

  it.each([['16MiB', 16 * 1024 ** 2], ['64kB', 64_000], ['1048576', 1_048_576]])('reads the size %s', (text, bytes) => {
    expect(loadConfig({ env: { SPANBRIDGE_BODY_LIMIT: text } }).bodyLimitBytes).toBe(bytes)
  })
})

describe('a wrong configuration', () => {
  it('is told all at once, by file, line and key', () => {
    const config = file(`httpAddress: lots
# a comment
settleGrce: 5s
tenant:
  attributs: [a]
objectives:
  - objective: success-rate
    limit: many
  - agent: support
  - objective: success-rate
  - limit: 0.9
  - { limit: 0.9, profile: customer_service }
maxOpenRequests: -4
bodyLimit: [1]
agent: 5
`)
    expect(problems(() => loadConfig({ flags: { config } }))).toEqual([
      'spanbridge.yaml:1: httpAddress: expected an address such as 127.0.0.1:4318, :4318 or [::1]:4318, got "lots"',
      'spanbridge.yaml:3: settleGrce: unknown key; did you mean "settleGrace"?',
      'spanbridge.yaml:5: tenant.attributs: unknown key; did you mean "attributes"?',
      'spanbridge.yaml:8: objectives[0].limit: expected a number, got "many"',
      'spanbridge.yaml:9: objectives[1]: expected an objective and its limit, or a profile',
      'spanbridge.yaml:10: objectives[2].limit: expected a number, got nothing',
      'spanbridge.yaml:11: objectives[3].objective: expected a text, got nothing',
      'spanbridge.yaml:12: objectives[4].profile: expected no profile where there is an objective or a limit',
      'spanbridge.yaml:13: maxOpenRequests: expected a whole number from 1 to 10000000, got -4',
      'spanbridge.yaml:14: bodyLimit: expected a size such as 16MiB or 65536, got [1]',
      'spanbridge.yaml:15: agent: expected keys and values, got 5',
    ])
  })

  it('names the variable or the flag that is wrong', () => {
    const env = { SPANBRIDGE_IDLE_TIMEOUT: 'soon', SPANBRIDGE_LATENCY_PRICING_USD_PER_SECOND: '-1', SPANBRIDGE_OBJECTIVES: '[{objective: a, limit: x}]' }
    expect(problems(() => loadConfig({ flags: { maxOpenRequests: '1.5' }, env })).sort()).toEqual([
      '--max-open-requests: expected a whole number, got "1.5"',
      'SPANBRIDGE_IDLE_TIMEOUT: expected a duration such as 5s, 10m, 500ms or 1h30m, got "soon"',
      'SPANBRIDGE_LATENCY_PRICING_USD_PER_SECOND: expected a number of at least 0, got "-1"',
      'SPANBRIDGE_OBJECTIVES: objectives[0].limit: expected a number, got "x"',
    ])
  })

  it.each([
    ['a: [1', /^spanbridge\.yaml:1: /],
    ['webAddress: :1\nwebAddress: :2\n', /^spanbridge\.yaml:2: Map keys must be unique/],
    ['- 1\n', /^spanbridge\.yaml:1: expected keys and values, got \[1\]/],
    ['__proto__: {httpAddress: ":1"}\n', /^spanbridge\.yaml:1: __proto__: unknown key/],
    ['httpAddress: ":4317"\ngrpcAddress: ":4317"\n', /^spanbridge\.yaml:2: grpcAddress: 0\.0\.0\.0:4317 is also httpAddress/],
    ['bodyLimit: 1GiB\n', /inflatedLimit: expected at least bodyLimit/],
    ['settleGrace: 9000d\n', /^spanbridge\.yaml:1: settleGrace: expected a duration of at most a year/],
  ])('%j', (text, message) => {
    const found = problems(() => loadConfig({ flags: { config: file(text) } }))
    expect(found[0]).toMatch(message)
  })

  it('is a file that is not there', () => {
    expect(problems(() => loadConfig({ env: { SPANBRIDGE_CONFIG: join(folder, 'none.yaml') } }))).toEqual(['cannot read none.yaml: no such file'])
  })

  it('is warned of where a variable is nearly one of ours, and not where Kubernetes made it', () => {
    const env = { SPANBRIDGE_HTP_ADDRESS: ':1', SPANBRIDGE_SERVICE_HOST: '10.0.0.1', SPANBRIDGE_PORT: 'tcp://10.0.0.1:4318', SPANBRIDGE_PORT_4318_TCP_ADDR: '10.0.0.1' }
    expect(loadConfig({ env }).warnings).toEqual(['SPANBRIDGE_HTP_ADDRESS is not a setting; did you mean SPANBRIDGE_HTTP_ADDRESS?'])
  })
})

describe('pricing.yaml', () => {
  it('is read as it is written', () => {
    const name = file('models:\n  - match: gpt-4o*\n    provider: azure\n    inputPerMillion: 2\n    outputPerMillion: "8"\ntools:\n  - {match: web_search, perCall: 0.01}\n', 'pricing.yaml')
    expect(loadPricing(name)).toEqual({
      currency: 'USD', exchangeRates: [], aliases: {}, serviceTiers: [],
      models: [{ match: 'gpt-4o*', provider: 'azure', inputPerMillion: 2, outputPerMillion: 8 }],
      tools: [{ match: 'web_search', perCall: 0.01 }],
      retrievals: [],
    })
  })

  it('tells what is wrong all at once, by line and key', () => {
    const name = file(`models:
  - {match: gpt-4o, outputPerMillion: 8,
     inputPerMillon: 2}
  - inputPerMillion: cheap
  - match: empty
tools:
  - match: a
retrieval: []
`, 'pricing.yaml')
    expect(problems(() => loadPricing(name))).toEqual([
      'pricing.yaml:3: models[0].inputPerMillon: unknown key; did you mean "inputPerMillion"?',
      'pricing.yaml:4: models[1].match: expected a text, got nothing',
      'pricing.yaml:4: models[1].inputPerMillion: expected a number, got "cheap"',
      'pricing.yaml:5: models[2]: expected a price: inputPerMillion, outputPerMillion, perRequest or perSecond',
      'pricing.yaml:7: tools[0]: expected a price: perCall or perSecond',
      'pricing.yaml:8: retrieval: unknown key; did you mean "retrievals"?',
    ])
  })

  it('tells what contradicts itself', () => {
    const name = file(`currency: EUR
exchangeRates:
  - {currency: CHF, usd: 1.2, from: 2026-02-30}
  - {currency: GBP, usd: 0}
aliases:
  house: gpt-4o
  HOME: house
models:
  - {match: a, inputPerMillion: 1, from: 2026-01-01}
  - {match: A, inputPerMillion: 2, from: 2026-01-01T00:00:00Z}
  - match: b
    inputPerMillion: 1
    tiers:
      - {aboveInputTokens: 1000, inputPerMillion: 2}
      - {aboveInputTokens: 1000}
  - {match: c, perSecond: 1, serviceTier: slow, currency: euro}
tools:
  - {match: search, perCall: 1, currency: JPY}
`, 'pricing.yaml')
    expect(problems(() => loadPricing(name))).toEqual([
      'pricing.yaml:3: exchangeRates[0].from: expected a date such as 2026-05-01 or 2026-05-01T06:00:00Z, got "2026-02-30"',
      'pricing.yaml:4: exchangeRates[1].usd: expected a number above 0, got 0',
      'pricing.yaml:15: models[2].tiers[1].aboveInputTokens: expected more than the tier before (1000), got 1000',
      'pricing.yaml:15: models[2].tiers[1]: expected a price',
      'pricing.yaml:16: models[3].currency: expected a currency such as EUR, got "euro"',
      'pricing.yaml:16: models[3].serviceTier: expected batch or flex or priority, got "slow"',
    ])
    const second = file(readFileSync(name, 'utf8').replace('2026-02-30', '2026-02-01').replace('usd: 0', 'usd: 1.3').replace(/- \{aboveInputTokens: 1000\}/, '- {aboveInputTokens: 2000, outputPerMillion: 3}').replace('serviceTier: slow, currency: euro', 'serviceTier: batch'), 'pricing.yaml')
    expect(problems(() => loadPricing(second))).toEqual([
      'pricing.yaml:1: currency: no rate in exchangeRates for EUR',
      'pricing.yaml:7: aliases.HOME: house is itself an alias',
      'pricing.yaml:10: models[1].match: a second price for what models[0] has one for',
      'pricing.yaml:18: tools[0].currency: no rate in exchangeRates for JPY',
    ])
  })
})
