/** What happened meanwhile, drawn over every graph. */
import { AnnotationQueryBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { recordedOf, scraped } from './query.ts'
import { PROMETHEUS } from './variables.ts'

/** Alerts of this bundle, as Prometheus writes them down; each has an owner. */
export function alerts(severities: string, ...matchers: string[]): string {
  return recordedOf(['tenant_id', 'agent'], 'ALERTS', 'alertstate="firing"', 'owner!=""', `severity=~"${severities}"`, ...matchers)
}

export function annotations(): AnnotationQueryBuilder[] {
  const build = scraped('spanbridge_build_info')
  return [
    prometheus('Critical alerts', 'red', begun(alerts('critical')), '{{alertname}}', 'agent {{agent}}, tenant {{tenant_id}}'),
    prometheus('Warnings', 'orange', begun(alerts('warning')), '{{alertname}}', 'agent {{agent}}, tenant {{tenant_id}}'),
    prometheus('Bridge deployments', 'blue', `group by (version) (${build}) unless group by (version) (present_over_time(${build}[1h] offset 1m))`, 'Spanbridge {{version}}', 'a version that was not there in the hour before'),
    // The agents' own: whoever deploys one posts an annotation with the tag "deployment" to Grafana (POST /api/annotations).
    new AnnotationQueryBuilder().name('Deployments').datasource({ type: 'grafana', uid: '-- Grafana --' }).enable(true).iconColor('purple')
      .target(tagged('deployment')),
  ]
}

/** Only the beginning: an alert that goes on would color the graphs for as long. */
function begun(firing: string): string {
  return `${firing} unless ${firing} offset 1m`
}

function prometheus(name: string, color: string, expr: string, title: string, text: string): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder().name(name).datasource(PROMETHEUS).enable(true).iconColor(color)
    .expr(expr).step('60s').titleFormat(title).textFormat(text)
    .target(new DataqueryBuilder().refId('Anno').expr(expr))
}

/** The query for Grafana's own annotations. */
function tagged(tag: string) {
  const target = { type: 'tags', tags: [tag], limit: 100, matchAny: false, refId: 'Anno', _implementsDataqueryVariant() {} }
  return { build: () => target }
}
