import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Vitest leaves one core to itself, which of two is half of them.
    maxWorkers: '100%',
    projects: [
      // The daily loop: no component but Node, no network beyond loopback. Its files share the modules that they import: to load them for each file anew
      // would take a fifth of the time. So what a file changes outside of itself it puts back.
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/real/**'], testTimeout: 20_000, isolate: false } },
      // Real components, one file after the other: they share two cores and each test measures what it started.
      { test: { name: 'real', include: ['test/real/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false } },
    ],
  },
})
