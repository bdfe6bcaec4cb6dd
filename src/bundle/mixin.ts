/** The monitoring mixin with a user's configuration, evaluated once into all that the bundle is written from. */
import { readFileSync } from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseDocument } from 'yaml'
import { nearest } from '../nearest.ts'
import type { Burn, Settings } from './detection.ts'
import type { Evaluator } from './evaluator.ts'

export interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Groups {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[]
}

export interface Mixin {
  readonly prometheus: Groups
  readonly loki: Groups
  readonly alertmanager: { readonly route: object; readonly receivers: readonly { readonly name: string }[] }
  /** By file name, as are the dashboards. */
  readonly templates: Readonly<Record<string, string>>
  readonly dashboards: Readonly<Record<string, { readonly uid: string; readonly title: string }>>
  readonly burn: readonly Burn[]
  readonly settings: Settings
}

/** What the user gave is wrong, told with file and line where it is known. */
export class MixinError extends Error {
  override name = 'MixinError'
}

/** The folder of mixin.libsonnet. */
export const MIXIN = fileURLToPath(new URL('../../alerts', import.meta.url))

const BUNDLE = `{
  prometheus: { groups: mixin.prometheusRules.groups + mixin.prometheusAlerts.groups },
  loki: mixin.lokiAlerts,
  alertmanager: mixin.alertmanagerConfig,
  templates: mixin.alertmanagerTemplates,
  dashboards: mixin.grafanaDashboards,
  burn: mixin.burnRates,
  settings: { [name]: mixin._config[name] for name in ['minEvents', 'minBadEvents', 'trickleHours', 'keepFiringFor'] },
}`

/**
 * What a user may write: the whole mixin with something laid over it, an overlay for it ({ _config+:: { … } }), or settings alone. Of those alone a
 * table is laid over the table that is there, as in YAML there is no way to say so. A setting
 * that does not exist changes nothing, and whoever wrote it would believe that it did: it is refused with the nearest that does.
 */
const MERGED = `local known = import 'mixin.libsonnet';
  assert std.isObject(user) : 'expected an object: settings, { _config+:: { … } }, or the mixin with something laid over it';
  local isMixin = std.objectHasAll(user, 'alertmanagerConfig') && std.objectHasAll(user, 'prometheusRules');
  local isOverlay = std.length([name for name in std.objectFieldsAll(user) if std.member(['_config', 'prometheusAlerts', 'prometheusRules', 'lokiAlerts', 'grafanaDashboards', 'alertmanagerConfig', 'alertmanagerTemplates'], name)]) > 0;
  local over(settings, own) = {
    [name]: if std.isObject(own[name]) && std.objectHasAll(settings, name) && std.isObject(settings[name]) then settings[name] + over(settings[name], own[name]) else own[name]
    for name in std.objectFieldsAll(own)
  };
  local mixin = if isMixin then user else if isOverlay then known + user else known + { _config+:: over(known._config, user) };
  local unknown = [name for name in std.objectFieldsAll(mixin._config) if !std.objectHasAll(known._config, name)];
  assert unknown == [] : 'UNKNOWN ' + std.join(' ', unknown) + ' KNOWN ' + std.join(' ', std.objectFieldsAll(known._config));`

/** Without `file`, with the settings as shipped. Throws MixinError. */
export async function evaluateMixin(evaluator: Evaluator, file?: string): Promise<Mixin> {
  const folders = file === undefined ? [MIXIN] : [MIXIN, dirname(resolve(file)), join(dirname(resolve(file)), 'vendor')]
  const snippet = file === undefined ? `local mixin = import 'mixin.libsonnet'; ${BUNDLE}` : `local user = ${userValue(file)}; ${MERGED} ${BUNDLE}`
  try {
    return (await evaluator.evaluate(snippet, ...folders)) as Mixin
  } catch (error) {
    throw new MixinError(told((error as Error).message, file), { cause: error })
  }
}

/** An expression for what is in the file. */
function userValue(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new MixinError(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`, { cause: error })
  }
  if (!['.yaml', '.yml'].includes(extname(file))) return `import ${JSON.stringify(resolve(file))}`
  const document = parseDocument(text)
  const [problem] = document.errors
  if (problem !== undefined) throw new MixinError(`cannot use ${file}:${problem.linePos?.[0].line ?? 1}: ${problem.message.split('\n')[0]}`)
  return JSON.stringify(document.toJS() ?? {})
}

/** Jsonnet's message without its stack, with the place in the user's own file where there is one. */
function told(message: string, file: string | undefined): string {
  const lines = message.trim().split('\n')
  const what = lines[0]!.replace(/^(RUNTIME|STATIC) ERROR: /, '')
  const unknown = /^UNKNOWN (.*) KNOWN (.*)$/.exec(what)
  if (unknown !== null) {
    const known = unknown[2]!.split(' ')
    return unknown[1]!.split(' ').map((name) => `cannot use ${file}: there is no setting ${name}${suggestion(name, known)}`).join('\n')
  }
  if (file === undefined) return what
  const own = resolve(file)
  const place = lines.map((line) => line.split(`${own}:`)[1]?.match(/^\(?(\d+)/)?.[1]).find((line) => line !== undefined)
  // A fault in its syntax has the place in front, one at run time below.
  const bare = what.startsWith(`${own}:`) ? what.slice(what.indexOf(' ') + 1) : what
  return `cannot use ${file}${place === undefined ? '' : `:${place}`}: ${bare}`
}

function suggestion(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return near === undefined ? `; there are ${known.join(', ')}` : `; did you mean ${near}?`
}
