/** A component of Java: its published programs, copied beside a script that starts them. */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from './program.ts'
import type { Build } from './table.ts'

export const mavenBuild: Build = async ({ folder, binaries }, { directory, signal }) => {
  for (const needed of ['java', 'mvn']) {
    if (spawnSync(needed, ['-version']).error) throw new Error(`Java 17 or newer and Maven are needed, and there is no ${needed} on the PATH`)
  }
  await runProgram('mvn', ['--quiet', '--batch-mode', '--file', join(folder, 'pom.xml'), 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(directory, 'libs')}`], {
    directory, env: process.env, signal,
  })
  for (const binary of binaries) {
    copyFileSync(join(folder, binary), join(directory, binary))
    chmodSync(join(directory, binary), 0o755)
  }
}
