import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { LOKI_RULES_FILE } from '../../provisioning/loki.ts'
import { rulesInPlace, RULES_FILE } from '../../provisioning/rules.ts'

interface Rules { groups: { rules: { annotations?: Record<string, string> }[] }[] }

test.each([['Prometheus', RULES_FILE], ['Loki', LOKI_RULES_FILE]] as const)('the rules of a place for %s differ from the generated ones in their links alone', (_whose, file) => {
  const generated = readFileSync(file, 'utf8')
  const rules = parse(rulesInPlace(generated, { webUrl: 'http://[::1]:1234', dashboards: false })) as Rules
  const wanted = parse(generated) as Rules
  let links = 0
  for (const { annotations } of wanted.groups.flatMap((group) => group.rules)) {
    if (annotations === undefined) continue
    delete annotations['dashboard_url']
    annotations['runbook_url'] = annotations['runbook_url']!.replace('http://127.0.0.1:9464', 'http://[::1]:1234')
    links++
  }
  expect(links).toBeGreaterThan(1)
  expect(rules).toEqual(wanted)
})
