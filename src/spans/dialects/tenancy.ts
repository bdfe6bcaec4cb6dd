import { jsonObject, text, GUESS, OWN, STANDARD, type AttributeRule, type Dialect, type Fields } from '../dialect.ts'

/**
 * Who pays and whose agent it is: the keys applications put on spans or resources themselves, and those under which each
 * SDK passes an application's metadata on. A plain `tenant` yields to `tenant.id`. `service.name` is taken from the resource;
 * some dialects (OpenLIT) repeat it on spans.
 */
const TENANT_NAMES = ['tenant_id', 'tenant.id', 'tenantId', 'tenant']
const PROJECT_NAMES = ['project_id', 'project.id', 'projectId', 'project']

/** What stands before the name of a metadata entry. */
const PREFIXES = [
  'metadata.',
  'traceloop.association.properties.',
  'ai.telemetry.metadata.',
  'ai.settings.context.',
  'langsmith.metadata.',
  'langfuse.trace.metadata.',
  'langfuse.observation.metadata.',
  'mlflow.trace.metadata.',
  'gen_ai.metadata.',
  'attributes.',
  'app.',
]

export const tenancy: Dialect = {
  name: 'tenancy',
  attributes: {
    'service.name': text('service', STANDARD),
    ...named(''),
    ...Object.assign({}, ...PREFIXES.map(named)),
    'gen_ai.tenant.id': text('tenant', OWN),
    'gen_ai.project.id': text('project', OWN),
    'enduser.tenant': text('tenant', GUESS),
    'enduser.tenant.id': text('tenant', GUESS),
    'organization.id': text('tenant', GUESS + 5),
    'openinference.project.name': text('project', GUESS),
    'braintrust.parent': text('project', GUESS + 5),
    'metadata.user_api_key_org_id': text('tenant', GUESS),
    'metadata.user_api_key_team_id': text('tenant', GUESS + 1),
    'metadata.user_api_key_project_id': text('project', GUESS),
  },
}

function named(prefix: string): Record<string, AttributeRule> {
  const rank = prefix === '' ? STANDARD : OWN
  return Object.fromEntries([
    ...TENANT_NAMES.map((name, i) => [prefix + name, text('tenant', rank + i)]),
    ...PROJECT_NAMES.map((name, i) => [prefix + name, text('project', rank + i)]),
  ])
}

/** Metadata as one JSON object. Most of it is the framework's own, and is not parsed unless a name of interest is in it. */
export function readTenancy(json: string, fields: Fields): void {
  if (!json.includes('tenant') && !json.includes('project') && !json.includes('lc_agent_name')) return
  const metadata = jsonObject(json)
  if (metadata === undefined) return
  const tenant = first(metadata, TENANT_NAMES)
  const project = first(metadata, PROJECT_NAMES)
  const agent = first(metadata, ['lc_agent_name'])
  if (tenant !== '') fields.text('tenant', tenant)
  if (project !== '') fields.text('project', project)
  if (agent !== '') fields.text('agent', agent)
}

function first(metadata: Record<string, unknown>, names: readonly string[]): string {
  for (const name of names) {
    const value = metadata[name]
    if (typeof value === 'string' && value !== '') return value
    if (typeof value === 'number') return String(value)
  }
  return ''
}
