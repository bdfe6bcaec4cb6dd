/**
 * A Grafana as its HTTP API is documented (Folder, Dashboard and Folder/Dashboard Search APIs, Grafana 10 to 12): in memory, with what
 * the installation relies on: 404s, versions that count up, folders that are deleted with what is in them, roles.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Stored {
  dashboard: Record<string, unknown>
  folderUid: string
  provisioned: boolean
}

export interface FakeGrafana {
  readonly url: string
  readonly folders: Map<string, string>
  readonly dashboards: Map<string, Stored>
  /** Calls that change something. */
  readonly writes: string[]
  stop(): Promise<void>
}

export async function startGrafana(token: string): Promise<FakeGrafana> {
  const folders = new Map<string, string>()
  const dashboards = new Map<string, Stored>()
  const writes: string[] = []
  let ids = 0
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (part: string) => { text += part }).on('end', () => {
      const answer = (status: number, body: unknown) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
      const url = new URL(request.url!, 'http://grafana')
      const method = request.method!
      if (request.headers.authorization !== `Bearer ${token}`) return answer(401, { message: 'Invalid API key' })
      if (method !== 'GET') writes.push(`${method} ${url.pathname}`)
      const uid = decodeURIComponent(url.pathname.split('/').at(-1)!)
      if (url.pathname === '/api/folders' && method === 'POST') {
        const { uid: wanted, title } = JSON.parse(text) as { uid: string; title: string }
        if (folders.has(wanted)) return answer(409, { message: 'a folder with the same name already exists' })
        folders.set(wanted, title)
        return answer(200, { id: ++ids, uid: wanted, title })
      }
      if (url.pathname.startsWith('/api/folders/')) {
        if (!folders.has(uid)) return answer(404, { message: 'folder not found', status: 'not-found' })
        if (method === 'DELETE') {
          folders.delete(uid)
          for (const [key, { folderUid }] of dashboards) if (folderUid === uid) dashboards.delete(key)
          return answer(200, { message: 'Folder deleted' })
        }
        return answer(200, { uid, title: folders.get(uid) })
      }
      if (url.pathname === '/api/dashboards/db') {
        const { dashboard, folderUid = '', overwrite } = JSON.parse(text) as { dashboard: Record<string, unknown>; folderUid?: string; overwrite?: boolean }
        const key = String(dashboard['uid'])
        const old = dashboards.get(key)
        if (folderUid !== '' && !folders.has(folderUid)) return answer(400, { message: 'folder not found' })
        if (old !== undefined && overwrite !== true) return answer(412, { status: 'version-mismatch' })
        const version = Number(old?.dashboard['version'] ?? 0) + 1
        dashboards.set(key, { dashboard: { ...dashboard, id: old?.dashboard['id'] ?? ++ids, version }, folderUid, provisioned: false })
        return answer(200, { uid: key, version, status: 'success' })
      }
      if (url.pathname.startsWith('/api/dashboards/uid/')) {
        const stored = dashboards.get(uid)
        if (stored === undefined) return answer(404, { message: 'Dashboard not found' })
        if (method === 'DELETE') {
          dashboards.delete(uid)
          return answer(200, { title: stored.dashboard['title'], message: 'Dashboard deleted' })
        }
        return answer(200, { dashboard: stored.dashboard, meta: { folderUid: stored.folderUid, provisioned: stored.provisioned } })
      }
      if (url.pathname === '/api/search') {
        const folder = url.searchParams.get('folderUIDs')
        return answer(200, [...dashboards].filter(([, stored]) => stored.folderUid === folder).map(([key, stored]) => ({ uid: key, title: stored.dashboard['title'], type: 'dash-db' })))
      }
      return answer(404, { message: 'Not found' })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, folders, dashboards, writes,
    stop: () => new Promise((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    }),
  }
}
