/** What the demo's agents are held against: by a bridge beside them, and by that of docker compose. */
import { fileURLToPath } from 'node:url'

const FILE = './expectations.yaml'

export function demoExpectations(): string {
  return fileURLToPath(new URL(FILE, import.meta.url))
}

/** In the image of the bridge. */
export const EXPECTATIONS_IN_IMAGE = '/app/src/demo/agents/expectations.yaml'
