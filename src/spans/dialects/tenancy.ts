import { text, GUESS, OWN, STANDARD, type AttributeRule, type Dialect, type Fields, type TextField } from '../dialect.ts'

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
    'service.version': text('version', STANDARD + 1),
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

/** Metadata as one JSON object. Most of it is the framework's own: entries of interest are searched for, nothing else is parsed. */
export function readTenancy(json: string, fields: Fields): void {
  if (json.includes('tenant')) readFirst(json, TENANT_NAMES, 'tenant', fields)
  if (json.includes('project')) readFirst(json, PROJECT_NAMES, 'project', fields)
  if (json.includes('lc_agent_name')) readFirst(json, ['lc_agent_name'], 'agent', fields)
}

/** A key inside a string value is escaped (`\"tenant\":`), so that text cannot pass for an entry. */
function readFirst(json: string, names: readonly string[], field: TextField, fields: Fields): void {
  for (const name of names) {
    const key = json.indexOf(`"${name}":`)
    if (key < 0) continue
    VALUE.lastIndex = key + name.length + 3
    const value = VALUE.exec(json)
    if (value === null) continue
    const text = value[2] ?? value[1]!
    return fields.text(field, text.includes('\\') ? unescaped(text) : text)
  }
}

const VALUE = /\s*(?:(-?\d+)|"((?:[^"\\]|\\.){1,256})")/y

function unescaped(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`))
  } catch {
    return text
  }
}
