/** A generated rule file, of Prometheus or of Loki, for a place: with links that lead somewhere there. */
import { parseDocument, visit } from 'yaml'

export interface RulesParameters {
  /** Where the bridge serves its runbooks, as in http://127.0.0.1:9464 */
  readonly webUrl: string
  /** False where there is no Grafana: the links to its dashboards are left out. */
  readonly dashboards: boolean
}

/** The generated rules of Prometheus, to be read by whoever calls: needs no jsonnet. */
export const RULES_FILE = new URL('../alerts/generated/prometheus-rules.yaml', import.meta.url)

/** The text of the rule file, from the text of the generated one. */
export function rulesInPlace(generated: string, { webUrl, dashboards }: RulesParameters): string {
  const document = parseDocument(generated)
  visit(document, {
    Pair: (_, pair) => {
      const { key, value } = pair as { key: { value?: unknown }; value: { value?: unknown } | null }
      if (key.value === 'dashboard_url' && !dashboards) return visit.REMOVE
      if (key.value === 'runbook_url' && typeof value?.value === 'string') value.value = value.value.replace(/^https?:\/\/[^/]+/, webUrl)
      return undefined
    },
  })
  return document.toString({ lineWidth: 0 })
}
