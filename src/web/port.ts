/** Ports of this machine: one that is free, whether one is taken, and how a server that listens there is reached from here. */
import { connect, createServer } from 'node:net'

export interface Place {
  readonly host: string
  readonly port: number
}

/** A TCP port of this machine's loopback that nothing listens on. Another program may take it before the caller does. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

/** Whether something listens there. */
export function isTaken({ host, port }: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.setTimeout(1000)
    const settle = (taken: boolean) => {
      socket.destroy()
      resolve(taken)
    }
    socket.once('connect', () => settle(true))
    // Who takes its time is there.
    socket.once('timeout', () => settle(true))
    socket.once('error', () => settle(false))
  })
}

/** With a free port where any will do: who is told of it is started before it is. */
export async function withPort({ host, port }: Place): Promise<Place> {
  return { host, port: port === 0 ? await freePort() : port }
}

/** What listens on every interface is reached on this machine's own. */
export function reachable({ host, port }: Place): Place {
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port }
}
