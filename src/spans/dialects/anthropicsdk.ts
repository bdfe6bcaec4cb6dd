import { Kind } from '../names.ts'
import type { Dialect } from '../dialect.ts'

/**
 * The Anthropic SDK (2.x) traces itself as soon as OpenTelemetry is there, so every instrumentation on top sees each call twice:
 * nested in it, or (OpenLLMetry; OpenInference when streaming) in a trace of its own with the same response id, which
 * OpenInference does not report. Input tokens include cached ones, as in OTel. Failures: `error.type` only, no message.
 * `client_timeout_error` is the client giving up.
 */
export const anthropicSdk: Dialect = {
  name: 'anthropic-sdk',
  scopes: /^com\.anthropic\.sdk\./,
  traits: ['nativeSdk'],
  names: [{ name: /^anthropic\.(?:beta\.)?messages\.\w+$/, kind: Kind.model }],
}
