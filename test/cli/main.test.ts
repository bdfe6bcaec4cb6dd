import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { BIN, commandLine, spanbridge } from './spanbridge.ts'

const folder = mkdtempSync(join(tmpdir(), 'spanbridge-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('bin/spanbridge', () => {
  it('runs from anywhere, through links to links', async () => {
    symlinkSync(BIN, join(folder, 'first'))
    symlinkSync('first', join(folder, 'second'))
    const ran = await spanbridge(['--version'], { bin: join(folder, 'second'), cwd: '/' })
    expect(ran).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string, stderr: '' })
  })

  it('takes a Node on the PATH only if it is new enough, and says what to do otherwise', async () => {
    const checkout = join(folder, 'checkout')
    mkdirSync(join(checkout, 'bin'), { recursive: true })
    cpSync(BIN, join(checkout, 'bin/spanbridge'))
    const old = join(folder, 'old')
    mkdirSync(old)
    writeFileSync(join(old, 'node'), '#!/bin/sh\n[ "$1" = --version ] && echo v20.9.0 && exit 0\nexit 1\n')
    chmodSync(join(old, 'node'), 0o755)
    const ran = await spanbridge([], { bin: join(checkout, 'bin/spanbridge'), env: { PATH: `${old}:/usr/bin:/bin` } })
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/needs Node 22\.18 or newer, found v20\.9\.0\. Run: cd .*checkout && npm ci/)
  })
})

describe('help', () => {
  it.each([[[]], [['serve']], [['up']], [['send']], [['doctor']], [['demo']], [['demo', 'run']], [['demo', 'fault']], [['demo', 'heal']], [['install']], [['prices', 'check']], [['savings']], [['reconcile']]])('of %j fits a screen of 80 x 24', async (command) => {
    const { code, stdout } = await commandLine([...command, '--help'])
    expect(code).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    expect(lines.length).toBeLessThan(24)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(stdout).toContain(`Usage: ${['spanbridge', ...command].join(' ')}`)
  })
})

describe('wrong usage exits 2 and says what is wrong', () => {
  it.each([
    [['srve'], /unknown command 'srve'[\s\S]*serve/],
    [['serve', '--http-adress', ':1'], /--http-address/],
    [['serve', 'extra'], /too many arguments/],
    [['send', '--protocol', 'carrier-pigeon'], /Allowed choices are http\/protobuf, http\/json, grpc/],
    [['send', '--rate', 'fast'], /expected a number, got "fast"/],
    [['send', '--rate', '1', '--spans-per-second', '5'], /cannot be used with/],
    [['send', '--duration', 'long'], /expected a duration/],
    [['send', '--header', 'nonsense'], /expected name=value/],
    [['send', '--tenant', 'acme=0'], /expected a name, or name=weight/],
    [['send', '--endpoint', 'ftp://x'], /--endpoint: expected a URL/],
    [['send', '/nowhere'], /cannot read \/nowhere: no such file or folder/],
    [['doctor', '--web-address', 'x'], /--web-address: expected an address/],
    [['doctor', '/nowhere'], /no such file or folder/],
  ])('%j', async (args, message) => {
    const ran = await commandLine(args)
    expect(ran.stderr).toMatch(message)
    expect(ran.code).toBe(2)
    expect(ran.stdout).toBe('')
  })

  it('and without a command, shows the help', async () => {
    const ran = await spanbridge([])
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toContain('Usage: spanbridge')
  })
})

describe('a wrong configuration', () => {
  it('stops the start with every problem: flag, variable, file and line', async () => {
    const config = join(folder, 'spanbridge.yaml')
    writeFileSync(config, 'webAddress: lots\nsettleGrce: 5s\n')
    const ran = await spanbridge(['serve', '--config', config, '--http-address', 'here'], { env: { SPANBRIDGE_IDLE_TIMEOUT: 'never' } })
    expect(ran.code).toBe(2)
    expect(ran.stdout).toBe('')
    const lines = ran.stderr.trim().split('\n')
    expect(lines).toHaveLength(4)
    expect(ran.stderr).toContain('spanbridge: --http-address: expected an address such as')
    expect(ran.stderr).toContain('spanbridge: SPANBRIDGE_IDLE_TIMEOUT: expected a duration')
    expect(ran.stderr).toContain(`spanbridge: ${config}:1: webAddress: expected an address`)
    expect(ran.stderr).toContain(`spanbridge: ${config}:2: settleGrce: unknown key; did you mean "settleGrace"?`)
  })

  it('of prices stops the start as well', async () => {
    writeFileSync(join(folder, 'pricing.yaml'), 'models:\n  - match: a\n    inputPerMillion: cheap\n')
    const ran = await commandLine(['serve'], { SPANBRIDGE_PRICING: join(folder, 'pricing.yaml') })
    expect(ran.stderr).toBe(`spanbridge: ${join(folder, 'pricing.yaml')}:3: models[0].inputPerMillion: expected a number, got "cheap"\n`)
    expect(ran.code).toBe(2)
  })
})
