/**
 * What was said, out of what instrumentations put around it: a message, a provider's response, a framework's record of a tool call. Each
 * form is one row; a content that has none of them is what was said itself. Layers are few, so a text cannot make this long.
 */

/** Most layers around one text. */
const MOST_LAYERS = 10

export interface Readings {
  /** The content as told, then what is in each layer of it, the innermost last. */
  readonly values: readonly unknown[]
  /** The innermost text; '' where a message says nothing, as one that only calls tools. */
  readonly text: string
}

export function readingsOf(content: string): Readings {
  const values: unknown[] = [content]
  let text = content
  for (let layer = 0; layer < MOST_LAYERS; layer++) {
    const inner = insideOf(values.at(-1))
    if (inner === undefined) break
    values.push(inner)
    if (typeof inner === 'string') text = inner
  }
  return { values, text }
}

/** Undefined: there is nothing around this. */
function insideOf(value: unknown): unknown {
  if (typeof value === 'string') return insideText(value)
  if (Array.isArray(value)) return insideList(value)
  if (!isRecord(value)) return undefined
  return FORMS.find(({ is }) => is(value))?.of(value)
}

type Record_ = Readonly<Record<string, unknown>>

/** By what a form is known, and where in it what was said is. The first that fits. */
const FORMS: readonly { readonly is: (value: Record_) => boolean; readonly of: (value: Record_) => unknown }[] = [
  // LangChain: a serialized message, a dumped one, the state of a graph.
  { is: ({ lc, kwargs }) => lc === 1 && isRecord(kwargs), of: ({ kwargs }) => said(kwargs as Record_) },
  { is: ({ type, data }) => typeof type === 'string' && isRecord(data) && 'content' in data, of: ({ data }) => said(data as Record_) },
  { is: ({ messages }) => Array.isArray(messages) && messages.length > 0, of: ({ messages }) => messages },
  // Responses of OpenAI and Gemini.
  { is: ({ choices }) => Array.isArray(choices) && isRecord(choices[0]), of: ({ choices }) => { const [{ message, text }] = choices as [Record_]; return message ?? text } },
  { is: ({ object, output }) => object === 'response' && Array.isArray(output), of: ({ output }) => (output as unknown[]).findLast((item) => isRecord(item) && item['type'] === 'message') ?? '' },
  { is: ({ candidates }) => Array.isArray(candidates) && isRecord(candidates[0]), of: ({ candidates }) => (candidates as [Record_])[0]['content'] },
  // A message, or what holds one.
  { is: ({ message, finish_reason }) => isRecord(message) && typeof finish_reason === 'string', of: ({ message }) => said(message as Record_) },
  { is: isMessage, of: said },
  { is: ({ content }) => isRecord(content) && Array.isArray(content['parts']), of: ({ content }) => said(content as Record_) },
  { is: ({ content, finish_reason }) => typeof content === 'string' && typeof finish_reason === 'string', of: said },
  { is: ({ raw, tasks_output }) => typeof raw === 'string' && Array.isArray(tasks_output), of: ({ raw }) => raw },
  // Results of tools: MCP, Haystack, LlamaIndex, Google ADK, and whoever wraps a text.
  { is: ({ content }) => Array.isArray(content) && content.length > 0 && content.every(isPart), of: said },
  { is: ({ tool_messages: messages }) => Array.isArray(messages), of: ({ tool_messages: messages }) => at(messages, [0, 'content', 0, 'tool_call_result', 'result']) },
  { is: ({ tool_name: name, raw_output: output }) => typeof name === 'string' && output !== undefined, of: (value) => value['raw_output'] },
  { is: ({ id, name, response }) => typeof id === 'string' && typeof name === 'string' && isRecord(response), of: ({ response }) => response },
  { is: (value) => lone(value, 'output') || lone(value, 'result'), of: (value) => value['output'] ?? value['result'] },
]

const SPEAKERS = new Set(['assistant', 'model', 'ai', 'AI', 'tool', 'AIMessage', 'ToolMessage'])
const isSpeaker = (value: unknown): boolean => typeof value === 'string' && SPEAKERS.has(value)

function isMessage(value: Record_): boolean {
  return (isSpeaker(value['role']) || isSpeaker(value['type'])) && ('content' in value || 'parts' in value)
}

function isPart(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { type } = value
  if (typeof type === 'string' && /^(output_)?text$/.test(type)) return typeof (value['text'] ?? value['content']) === 'string'
  return (typeof type === 'string' && /tool|function|thinking|reasoning|image|audio|refusal/i.test(type)) || 'toolUse' in value || (typeof value['text'] === 'string' && Object.keys(value).length === 1)
}

/** The content or the parts of a message. */
function said(message: Record_): unknown {
  return message['parts'] ?? message['content'] ?? ''
}

/** Of messages the last one speaks; of its parts, those that are text. */
function insideList(list: readonly unknown[]): unknown {
  const last = list.at(-1)
  if (typeof last === 'string' && last.startsWith('content=')) return last
  if (list.every(isPart)) return list.map((part) => textOf(part as Record_)).join('')
  if (list.every((item) => isRecord(item) && ('role' in item || 'lc' in item || (typeof item['type'] === 'string' && 'content' in item) || (typeof item['type'] === 'string' && 'data' in item)))) return last
  return undefined
}

function textOf({ type, text, content }: Record_): string {
  if (typeof type === 'string' && !/^(output_)?text$/.test(type)) return ''
  return typeof text === 'string' ? text : typeof content === 'string' ? content : ''
}

/** JSON in a text, and a message as Python prints it. */
function insideText(text: string): unknown {
  const start = text.trimStart()
  if (start.startsWith('content=')) {
    const [, quote, printed] = /^content=(['"])(.*?)\1 (?:name=|additional_kwargs=|tool_call_id=)/s.exec(start) ?? []
    return quote === undefined ? undefined : printed!.replace(/\\(['"\\n])/g, (_, sign: string) => (sign === 'n' ? '\n' : sign))
  }
  if (!/^[[{"]/.test(start)) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function lone(value: Record_, key: string): boolean {
  return key in value && Object.keys(value).every((other) => other === key || other === 'kwargs')
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((here, key) => (typeof here === 'object' && here !== null ? (here as Record<string | number, unknown>)[key] : undefined), value)
}

function isRecord(value: unknown): value is Record_ {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
