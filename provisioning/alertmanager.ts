/** Alertmanager's configuration for a place: the generated one, with the address of the pager page. */
import { parseDocument } from 'yaml'

export interface AlertmanagerParameters {
  /** Where the pager page takes Alertmanager's webhook. */
  readonly pagerUrl: string
}

/** The generated configuration, to be read by whoever calls: needs no jsonnet. */
export const ALERTMANAGER_FILE = new URL('../alerts/generated/alertmanager.yaml', import.meta.url)

/** Inside docker-compose.yml. */
export const COMPOSE_PAGER: AlertmanagerParameters = { pagerUrl: 'http://bridge:9464/pager/webhook' }

/** The text of alertmanager.yml, from the text of the generated one. */
export function alertmanagerConfig(generated: string, { pagerUrl }: AlertmanagerParameters): string {
  const document = parseDocument(generated)
  const { receivers } = document.toJS() as { receivers: { name: string }[] }
  const at = receivers.findIndex(({ name }) => name === 'pager')
  if (at < 0) throw new Error('cannot configure Alertmanager: there is no receiver named pager')
  document.setIn(['receivers', at, 'webhook_configs', 0, 'url'], pagerUrl)
  return document.toString({ lineWidth: 0 })
}
