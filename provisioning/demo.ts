/** The environment of docker compose with the demo's agents: `docker compose --env-file provisioning/demo.env up`. */
import { EXPECTATIONS_IN_IMAGE } from '../src/demo/agents/expected.ts'
import { demoJudgeSettings, KEY_IN_IMAGE } from '../src/demo/agents/judge.ts'
import { ESCALATION } from '../src/demo/agents/mishaps.ts'
import { demoLimits } from '../src/demo/agents/profiles.ts'

/** The text of demo.env. */
export function demoEnvironment(): string {
  const limits = demoLimits().map(({ objective, agent, limit }) => ({ objective, agent, limit }))
  return [
    'COMPOSE_PROFILES=demo',
    "# Where the pager's panel strikes the agents with faults.",
    'SPANBRIDGE_PAGER_DEMO_URL=http://demo:9465',
    "# The agents' own limits: the documented ones are for agents that answer at once.",
    `SPANBRIDGE_OBJECTIVES='${JSON.stringify(limits)}'`,
    '# A larger model that takes over is no ordinary fallback.',
    `SPANBRIDGE_ESCALATION_MODELS=${ESCALATION.join(',')}`,
    '# What their tools should give back, and they answer.',
    `SPANBRIDGE_EXPECTATIONS=${EXPECTATIONS_IN_IMAGE}`,
    '# A simulated judge, which the agents bring along.',
    ...Object.entries(demoJudgeSettings('http://demo:9465', KEY_IN_IMAGE)).map(([variable, value]) => `${variable}=${value}`),
    '',
  ].join('\n')
}
