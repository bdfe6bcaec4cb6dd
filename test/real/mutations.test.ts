/**
 * What the tests of the rules are worth: every rule is broken in turn, and its tests have to notice. An alert that never fires, a limit
 * that is judged on its other side, a `for` that is gone, a series that is not recorded: each is a bug that somebody will make.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { type TestFile, testFiles, TESTS } from '../alerts/cases.ts'
import { mutantsOf, SURVIVORS } from '../alerts/mutants.ts'
import { type Group, groups, RULE_FILE } from '../alerts/rulefile.ts'
import { needs } from './require.ts'

const { describe, path } = needs('promtool')
/** Of one promtool, on a machine that has much else to do. */
const LIMIT_MS = 120_000

describe('a broken rule is noticed', () => {
  let root: string
  beforeAll(() => { root = mkdtempSync(join(tmpdir(), 'spanbridge-mutants-')) })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  const places = groups.flatMap((group, at) => group.rules.map((rule, index) => ({ group: at, index, rule })))
  const names = [...new Set(places.map(({ rule }) => rule.alert ?? rule.record!))]

  // Or a file that lacks a group would seem to notice everything.
  test.concurrent.each(testFiles)('$name passes with the groups it names alone', async (file) => {
    expect(await fails(join(root, file.name), groups, file)).toBe(false)
  }, LIMIT_MS + 10_000)

  test.concurrent.each(names)('%s', async (name) => {
    const survivors: string[] = []
    let mutants = 0
    for (const { group, index, rule } of places.filter((place) => (place.rule.alert ?? place.rule.record) === name)) {
      // Many rules record the values of objectives under one name: the files that name this one's objective are tried first.
      const told = `${name}{objective="${rule.labels?.['objective']}"`
      const files = testFiles
        .filter((file) => file.text.includes(name) && file.groups.includes(groups[group]!.name))
        .toSorted((a, b) => Number(b.text.includes(told)) - Number(a.text.includes(told)))
      for (const { what, mutant } of mutantsOf(rule)) {
        const changed = groups.map((each, at) => (at !== group ? each : { ...each, rules: each.rules.flatMap((old, i) => (i !== index ? [old] : mutant === undefined ? [] : [mutant])) }))
        if (!(await noticed(join(root, `${name.replaceAll(':', '-')}-${mutants++}`), changed, files))) survivors.push(`${labelsOf(rule)}${what}`)
      }
    }
    expect(mutants).toBeGreaterThan(0)
    expect(survivors.filter((survivor) => !(survivor in (SURVIVORS[name] ?? {})))).toEqual([])
    expect(Object.keys(SURVIVORS[name] ?? {}).filter((survivor) => !survivors.includes(survivor)), 'is noticed after all').toEqual([])
  }, LIMIT_MS * 5)

  /** True when a test fails; the files are tried one after the other, each against the broken rules. */
  async function noticed(folder: string, changed: readonly Group[], files: readonly TestFile[]): Promise<boolean> {
    for (const file of files) if (await fails(folder, changed, file)) return true
    return false
  }

  /** Runs a file against the groups that it names: with all of them most of the time would go to rules that it does not look at. */
  function fails(folder: string, all: readonly Group[], { name, text, groups: named }: TestFile): Promise<boolean> {
    const ruleFile = join(folder, RULE_FILE)
    mkdirSync(join(ruleFile, '..'), { recursive: true })
    mkdirSync(join(folder, TESTS), { recursive: true })
    writeFileSync(ruleFile, stringify({ groups: all.filter((group) => named.includes(group.name)) }, { lineWidth: 0, aliasDuplicateObjects: false }))
    writeFileSync(join(folder, TESTS, name), text)
    return failing(path('promtool'), ['test', 'rules', join(folder, TESTS, name)])
  }
})

function failing(binary: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    execFile(binary, args, { timeout: LIMIT_MS, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(false)
      // Anything but a failed assertion would make every mutant look noticed.
      else if (`${stdout}${stderr}`.includes('FAILED')) resolve(true)
      else reject(new Error(`cannot run promtool ${args.join(' ')}: ${error.message}\n${stderr}`))
    })
  })
}

function labelsOf({ labels = {} }: { readonly labels?: Readonly<Record<string, string>> }): string {
  const told = [labels['severity'], labels['objective'], labels['signal']].filter((label) => label !== undefined).join(' ')
  return told === '' ? '' : `${told}: `
}
