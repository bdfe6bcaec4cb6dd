/** What the configuration says to the engine: the same for a bridge that serves and for a command that reads recorded spans. */
import type { Config } from './config/config.ts'
import { loadExpectations } from './config/expectations.ts'
import { objectiveRows, readObjectives } from './config/objectives.ts'
import { loadPricing } from './config/pricing.ts'
import { PriceBook } from './cost/prices.ts'
import type { EngineOptions } from './engine.ts'
import { inputHash, STANDARD, text, type AttributeRule, type Dialect, type TextField } from './spans/dialect.ts'
import { DIALECTS } from './spans/dialects/index.ts'
import { Scales } from './spans/scale.ts'

/** Throws `ConfigError` when the file of prices or of expectations cannot be read. */
export function engineOptions(config: Config): EngineOptions {
  return {
    dialects: [configuredAttributes(config), ...DIALECTS],
    prices: new PriceBook({ pricing: config.pricing === undefined ? undefined : loadPricing(config.pricing), latencyPricing: config.latencyPricing }),
    costSharing: config.costSharing,
    savings: { ...config.savings, qualityLimit: qualityLimits(config) },
    expectations: config.expectations === undefined ? undefined : loadExpectations(config.expectations),
    scales: new Scales(config.scores.scales, config.scores.labels),
    declaredErrors: config.errors,
    escalation: config.escalation,
    staleAfterSeconds: config.staleAfterSeconds,
    settleGraceMs: config.settleGraceSeconds * 1000,
    idleTimeoutMs: config.idleTimeoutSeconds * 1000,
    lateWindowMs: config.lateWindowSeconds * 1000,
    maxOpenRequests: config.maxOpenRequests,
    maxSpansPerRequest: config.maxSpansPerRequest,
    series: { seriesLimit: config.seriesLimit, expireAfterSeconds: config.seriesExpirySeconds },
  }
}

/** The attribute keys that the configuration names for tenant, project and agent, the first one first. */
function configuredAttributes(config: Config): Dialect {
  const rules = (keys: readonly string[], field: TextField): [string, AttributeRule][] => keys.map((key, i) => [key, text(field, STANDARD + Math.min(i, 8))])
  return {
    name: 'configured',
    attributes: Object.fromEntries([...rules(config.tenantAttributes, 'tenant'), ...rules(config.projectAttributes, 'project'), ...rules(config.agentAttributes, 'agent'), ...config.savings.hashAttributes.map((key): [string, AttributeRule] => [key, inputHash])]),
  }
}

/** The limit of the quality objective in force, the most specific first, as in the rules. */
function qualityLimits(config: Config): (tenant: string, agent: string) => number | undefined {
  const rows = objectiveRows(readObjectives(), config.objectives, () => undefined).filter(({ objective }) => objective === 'quality_score')
  const limits = new Map(rows.map((row) => [JSON.stringify([row.tenant_id, row.agent]), row.value]))
  const find = (tenant: string, agent: string) => limits.get(JSON.stringify([tenant, agent]))
  return (tenant, agent) => find(tenant, agent) ?? find(tenant, '') ?? find('', agent) ?? find('', '')
}
