/** LangSmith's and Braintrust's documented APIs, as far as scores are read from them. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FakeApi {
  readonly url: string
  /** What was asked, as `METHOD /path?query` and the body. */
  readonly asked: { readonly line: string; readonly query: URLSearchParams; readonly headers: IncomingMessage['headers']; readonly body: string }[]
  /** The next answers, before those that the API would give. */
  readonly trouble: ((response: ServerResponse) => void)[]
  close(): Promise<void>
}

async function serve(answer: (asked: FakeApi['asked'][number], response: ServerResponse) => void): Promise<FakeApi> {
  const asked: FakeApi['asked'] = []
  const trouble: FakeApi['trouble'] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      const url = new URL(request.url!, 'http://api')
      const one = { line: `${request.method} ${url.pathname}`, query: url.searchParams, headers: request.headers, body: Buffer.concat(parts).toString() }
      asked.push(one)
      const wrong = trouble.shift()
      if (wrong !== undefined) wrong(response)
      else answer(one, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, trouble,
    close: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

export const json = (response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}) => response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body))

export interface Feedback {
  readonly id: string
  readonly created_at: string
  readonly trace_id: string | null
  readonly run_id?: string
  readonly session_id?: string
  readonly key: string
  readonly score: number | boolean | null
  readonly value?: string | null
  readonly comment?: string
  readonly feedback_source?: { readonly type: string } | null
}

/** GET /api/v1/feedback: by time of creation, the newest first, with limit and offset. */
export function fakeLangsmith(feedback: Feedback[], key: string): Promise<FakeApi> {
  return serve(({ line, query, headers }, response) => {
    if (headers['x-api-key'] !== key) return void json(response, { detail: 'Invalid token' }, 401)
    if (line !== 'GET /api/v1/feedback') return void json(response, { detail: 'Not Found' }, 404)
    const limit = Number(query.get('limit') ?? 100), offset = Number(query.get('offset') ?? 0)
    if (limit > 100) return void json(response, { detail: 'limit is at most 100' }, 422)
    const from = Date.parse(query.get('min_created_at') ?? '1970-01-01T00:00:00Z')
    const sessions = query.getAll('session')
    const found = feedback.filter(({ created_at, session_id = '' }) => Date.parse(created_at) >= from && (sessions.length === 0 || sessions.includes(session_id)))
    json(response, found.toSorted((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at)).slice(offset, offset + limit))
  })
}

export interface LogRow {
  readonly id: string
  readonly created: string
  /** Grows with each write of the row. */
  _xact_id: string
  readonly root_span_id: string
  scores: Record<string, number | null> | null
}

/** POST /btql with the query that the bridge sends; rows as they were last written, a page at a time. */
export function fakeBraintrust(project: string, rows: LogRow[], key: string, pageRows = 500): Promise<FakeApi> {
  return serve(({ line, headers, body }, response) => {
    if (headers.authorization !== `Bearer ${key}`) return void json(response, { error: 'Unauthorized' }, 401)
    if (line !== 'POST /btql') return void json(response, { error: 'Not Found' }, 404)
    const { query } = JSON.parse(body) as { query: string }
    const read = /^select: id, root_span_id, scores, _xact_id \| from: project_logs\('([^']+)'\) spans \| filter: created >= '([^']+)' and scores is not null(?: and _xact_id >= '(\d+)')? \| limit: (\d+)(?: \| cursor: '(\d+)')?$/.exec(query)
    if (read === null || read[1] !== project) return void json(response, { error: `cannot parse ${query}` }, 400)
    const at = Number(read[5] ?? 0)
    const found = rows.filter((row) => row.scores !== null && row.created >= read[2]! && BigInt(row._xact_id) >= BigInt(read[3] ?? 0))
    const page = found.slice(at, at + Math.min(pageRows, Number(read[4])))
    json(response, { data: page.map(({ id, root_span_id, scores, _xact_id }) => ({ id, root_span_id, scores, _xact_id })), schema: {}, ...(at + page.length < found.length && { cursor: String(at + page.length) }) })
  })
}
