import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { prometheusRules, RULES_FILE } from '../../provisioning/rules.ts'

interface Rules { groups: { rules: { annotations?: Record<string, string> }[] }[] }

test('the rules of a place differ from the generated ones in their links alone', () => {
  const generated = readFileSync(RULES_FILE, 'utf8')
  const rules = parse(prometheusRules(generated, { webUrl: 'http://[::1]:1234', dashboards: false })) as Rules
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
