/** What Prometheus, Loki, Alertmanager and Grafana would refuse, or take and never use, told before they see it. */
import type { Groups, Mixin, Rule } from './mixin.ts'

interface Route {
  readonly receiver?: string
  readonly routes?: readonly Route[]
}

/** Faults, each with the place it is in. */
export function faultsOf(mixin: Mixin): string[] {
  return [
    ...groupFaults('prometheus-rules.yaml', mixin.prometheus),
    ...groupFaults('loki-rules.yaml', mixin.loki),
    ...receiverFaults(mixin),
    ...dashboardFaults(mixin),
  ]
}

function groupFaults(file: string, { groups }: Groups): string[] {
  const names = groups.map(({ name }) => name)
  return [
    ...repeated(names).map((name) => `${file}: two groups are named ${name}`),
    ...groups.flatMap(({ name, rules }) => rules.flatMap((rule, at) => ruleFaults(rule).map((fault) => `${file}: ${rule.alert ?? rule.record ?? `rule ${at + 1}`} in ${name}: ${fault}`))),
    ...repeated(groups.flatMap(({ rules }) => rules.flatMap(({ record, labels }) => (record === undefined ? [] : [`${record} ${JSON.stringify(labels ?? {})}`])))).map((one) => `${file}: ${one} is recorded twice`),
  ]
}

function ruleFaults({ alert, record, expr, labels = {}, annotations = {} }: Rule): string[] {
  const faults: string[] = []
  if ((alert === undefined) === (record === undefined)) faults.push('is neither an alert nor a record, or both')
  if (record !== undefined && !/^[a-zA-Z_:][\w:]*$/.test(record)) faults.push('is no name of a metric')
  if (typeof expr !== 'string' || expr.trim() === '') faults.push('has no expr')
  for (const [name, value] of Object.entries({ ...labels, ...annotations })) {
    if (typeof value !== 'string') faults.push(`${name} is ${JSON.stringify(value)} and not a text`)
    else if (!/^[a-zA-Z_]\w*$/.test(name)) faults.push(`${JSON.stringify(name)} is no name of a label`)
    else if ((value.match(/\{\{/g) ?? []).length !== (value.match(/\}\}/g) ?? []).length) faults.push(`the braces of ${name} are not closed`)
  }
  return faults
}

function receiverFaults({ alertmanager: { route, receivers } }: Mixin): string[] {
  const names = receivers.map(({ name }) => name)
  const used = (one: Route): string[] => [...(one.receiver === undefined ? [] : [one.receiver]), ...(one.routes ?? []).flatMap(used)]
  const unknown = [...new Set(used(route as Route))].filter((name) => !names.includes(name))
  return [...repeated(names).map((name) => `alertmanager.yaml: two receivers are named ${name}`), ...unknown.map((name) => `alertmanager.yaml: a route leads to the receiver ${name}, which is not there`)]
}

function dashboardFaults({ prometheus, loki, dashboards }: Mixin): string[] {
  const all = Object.values(dashboards)
  const uids = all.map(({ uid }) => uid)
  const linked = [prometheus, loki].flatMap(({ groups }) => groups.flatMap(({ rules }) => rules.flatMap(({ annotations }) => /\/d\/([^/?]+)/.exec(annotations?.['dashboard_url'] ?? '')?.[1] ?? [])))
  return [
    ...Object.entries(dashboards).filter(([, { uid, title }]) => !/^[\w-]{1,40}$/.test(uid) || !title).map(([name]) => `dashboards/${name}: has no title, or a uid that Grafana does not take`),
    ...repeated(uids).map((uid) => `dashboards: two have the uid ${uid}`),
    ...[...new Set(linked)].filter((uid) => !uids.includes(uid)).map((uid) => `alerts lead to the dashboard ${uid}, which is not there`),
  ]
}

function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, at) => names.indexOf(name) !== at))]
}
