/** Loads all that `serve` is made of, so that Node keeps it compiled (NODE_COMPILE_CACHE), and ends. Run by bin/spanbridge when the code has changed. */
await import('../bridge.ts')
await import('../config/config.ts')
process.argv.splice(2, Infinity, '--version')
await import('./main.ts')
