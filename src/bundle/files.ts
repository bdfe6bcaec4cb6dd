/** What the bundle consists of: every file that a user loads somewhere, relative to the folder it is written to. */
import { stringify } from 'yaml'
import type { Mixin } from './mixin.ts'
import { detectionMarkdown } from './table.ts'

export interface Output {
  readonly path: string
  readonly text: string
}

/** `source` and `command` are told at the head of each file. */
export interface Origin {
  readonly source: string
  readonly command: string
}

type Part = (mixin: Mixin, origin: Origin) => readonly Output[]

const PARTS: readonly Part[] = [
  (mixin, origin) => [{ path: 'prometheus-rules.yaml', text: yaml(origin, mixin.prometheus) }],
  (mixin, origin) => [{ path: 'loki-rules.yaml', text: yaml(origin, mixin.loki) }],
  (mixin, origin) => [{ path: 'alertmanager.yaml', text: yaml(origin, mixin.alertmanager) }],
  (mixin) => Object.entries(mixin.templates).map(([name, text]) => ({ path: `templates/${name}`, text })),
  (mixin) => [{ path: 'detection.md', text: detectionMarkdown(mixin.burn, mixin.settings) }],
]

const DASHBOARDS: Part = (mixin) => Object.entries(mixin.dashboards).map(([name, dashboard]) => ({ path: `dashboards/${name}`, text: `${JSON.stringify(dashboard, null, 2)}\n` }))

/** The same bytes every time. */
export function bundleFiles(mixin: Mixin, origin: Origin): Output[] {
  return [...PARTS, DASHBOARDS].flatMap((part) => part(mixin, origin))
}

/** As committed, where the dashboards are what they are generated from. */
export function committedFiles(mixin: Mixin, origin: Origin): Output[] {
  return PARTS.flatMap((part) => part(mixin, origin))
}

/** As people order the keys of a rule; jsonnet sorts keys by name. */
const KEY_ORDER = ['name', 'interval', 'alert', 'record', 'expr', 'labels', 'annotations', 'rules']

export function yaml(origin: Origin, value: unknown): string {
  return header(origin) + stringify(inOrder(value), { lineWidth: 0, aliasDuplicateObjects: false })
}

export function header({ source, command }: Origin): string {
  return `# Generated from ${source} by \`${command}\`. Changes here are lost.\n`
}

function inOrder(value: unknown): unknown {
  if (typeof value === 'string') return value.trimEnd()
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  const rank = (key: string) => (KEY_ORDER.includes(key) ? KEY_ORDER.indexOf(key) : KEY_ORDER.length)
  const entries = Object.entries(value).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, inOrder(inner)]))
}
