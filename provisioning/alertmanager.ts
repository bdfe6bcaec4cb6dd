/** Alertmanager's configuration for a place: the generated one, with the address of the pager page and the place of the templates. */
import { fileURLToPath } from 'node:url'
import { isMap, isSeq, parseDocument } from 'yaml'

export interface AlertmanagerParameters {
  /** Where the pager page takes Alertmanager's webhook. */
  readonly pagerUrl: string
  /** A glob, as Alertmanager sees it. Default: those of this checkout. */
  readonly templates?: string
}

/** The generated configuration, to be read by whoever calls: needs no jsonnet. */
export const ALERTMANAGER_FILE = new URL('../alerts/generated/alertmanager.yaml', import.meta.url)

const TEMPLATES = fileURLToPath(new URL('../alerts/generated/templates/*.tmpl', import.meta.url))

/** Inside docker-compose.yml. */
export const COMPOSE_PAGER = { pagerUrl: 'http://bridge:9464/pager/webhook', templates: '/etc/alertmanager/templates/*.tmpl' } as const satisfies AlertmanagerParameters

/** The text of alertmanager.yml, from the text of the generated one. */
export function alertmanagerConfig(generated: string, { pagerUrl, templates = TEMPLATES }: AlertmanagerParameters): string {
  const document = parseDocument(generated)
  document.set('templates', [templates])
  // Every other address comes from a file: what stands in the text is the pager's.
  const webhooks = items(document.get('receivers')).flatMap((receiver) => items(receiver.get('webhook_configs'))).filter((webhook) => webhook.has('url'))
  if (webhooks.length === 0) throw new Error('cannot configure Alertmanager: no receiver has the pager page')
  for (const webhook of webhooks) webhook.set('url', pagerUrl)
  return document.toString({ lineWidth: 0 })
}

function items(list: unknown) {
  return isSeq(list) ? list.items.filter(isMap) : []
}
