/**
 * All dialects, one list. The order is that in which name rules are tried, the narrower scope first, and for two attributes of
 * one rank on one span nothing: there the first on the wire wins. A dialect of the same name appears twice where one key
 * has two rules.
 */
import type { Dialect } from '../dialect.ts'
import { agentOps, langtrace } from './agentops.ts'
import { anthropicSdk } from './anthropicsdk.ts'
import { autogen, autogenOpenInference } from './autogen.ts'
import { braintrust } from './braintrust.ts'
import { crewAi, crewAiOpenInference } from './crewai.ts'
import { eventNames, eventNamesFailure } from './eventnames.ts'
import { circumstances } from './evidence.ts'
import { googleAdk } from './googleadk.ts'
import { haystack } from './haystack.ts'
import { databases, http } from './http.ts'
import { langfuse, langfuseFallback } from './langfuse.ts'
import { langSmith, langSmithFallback } from './langsmith.ts'
import { liteLlm } from './litellm.ts'
import { llamaIndex } from './llamaindex.ts'
import { logfire, logfireClients } from './logfire.ts'
import { mlflow, mlflowFallback } from './mlflow.ts'
import { openInference, openInferenceFallback, openInferenceLangChain, openInferenceOpenAiAgents } from './openinference.ts'
import { openLit, openLitLangGraph } from './openlit.ts'
import { openLlmetry, vectorDatabases } from './openllmetry.ts'
import { otelGenAi, otelGenAiFallback } from './otelgenai.ts'
import { phoenixEvals } from './phoenixevals.ts'
import { pydanticAi, pydanticEvals } from './pydanticai.ts'
import { agno, dspy, smolAgents } from './smolagents.ts'
import { tenancy } from './tenancy.ts'
import { truLens, truLensFailure } from './trulens.ts'
import { vercelAi } from './vercelai.ts'

export const DIALECTS: readonly Dialect[] = [
  anthropicSdk,
  autogenOpenInference,
  autogen,
  crewAiOpenInference,
  crewAi,
  googleAdk,
  llamaIndex,
  smolAgents,
  dspy,
  agno,
  openInferenceLangChain,
  openInferenceOpenAiAgents,
  openInference,
  openInferenceFallback,
  vectorDatabases,
  openLlmetry,
  openLitLangGraph,
  openLit,
  pydanticEvals,
  pydanticAi,
  logfire,
  logfireClients,
  langSmith,
  langSmithFallback,
  langfuse,
  langfuseFallback,
  mlflow,
  mlflowFallback,
  liteLlm,
  haystack,
  vercelAi,
  agentOps,
  langtrace,
  truLens,
  truLensFailure,
  phoenixEvals,
  braintrust,
  otelGenAi,
  otelGenAiFallback,
  eventNames,
  eventNamesFailure,
  tenancy,
  circumstances,
  http,
  databases,
]
