/** A loopback mail server: as much of SMTP as a client needs that logs in with a password and sends a message. */
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

export interface Mail {
  readonly login: string
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  readonly html: string
}

export interface Mailbox {
  readonly address: string
  readonly mails: readonly Mail[]
  /** Resolves once this many have come. */
  holding(count: number, seconds?: number): Promise<void>
  close(): Promise<void>
}

export async function startMailbox(): Promise<Mailbox> {
  const mails: Mail[] = []
  const looking = new Set<() => void>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    converse(socket, (mail) => {
      mails.push(mail)
      for (const look of looking) look()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    holding: (count, seconds = 30) => new Promise((resolve, reject) => {
      const look = () => {
        if (mails.length < count) return
        clearTimeout(limit)
        looking.delete(look)
        resolve()
      }
      const limit = setTimeout(() => reject(new Error(`${mails.length} of ${count} mails within ${seconds} s`)), seconds * 1000)
      looking.add(look)
      look()
    }),
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function converse(socket: Socket, deliver: (mail: Mail) => void): void {
  let input = ''
  let envelope = { login: '', from: '', to: [] as string[] }
  let inData = false
  const say = (line: string) => socket.write(`${line}\r\n`)
  say('220 mailbox')
  socket.on('data', (part) => {
    input += part.toString('latin1')
    for (;;) {
      const end = inData ? '\r\n.\r\n' : '\r\n'
      const at = input.indexOf(end)
      if (at < 0) return
      const text = input.slice(0, at)
      input = input.slice(at + end.length)
      if (inData) {
        inData = false
        deliver({ ...envelope, ...contentOf(text.replace(/^\.\./gm, '.')) })
        say('250 taken')
        continue
      }
      const [, verb, rest] = /^(\w+) ?(.*)$/.exec(text) ?? ['', '', '']
      if (verb === 'EHLO') say('250-mailbox\r\n250 AUTH PLAIN')
      else if (verb === 'AUTH') {
        envelope.login = Buffer.from(rest!.replace('PLAIN ', ''), 'base64').toString().replaceAll('\0', ' ').trim()
        say('235 welcome')
      } else if (verb === 'MAIL') {
        envelope = { login: envelope.login, from: /<(.*?)>/.exec(rest!)![1]!, to: [] }
        say('250 ok')
      } else if (verb === 'RCPT') {
        envelope.to.push(/<(.*?)>/.exec(rest!)![1]!)
        say('250 ok')
      } else if (verb === 'DATA') {
        inData = true
        say('354 go on')
      } else if (verb === 'QUIT') {
        say('221 bye')
        socket.end()
      } else say('502 not here')
    }
  })
}

/** Of multipart/alternative with quoted-printable parts, as Alertmanager writes it. */
function contentOf(message: string): Pick<Mail, 'subject' | 'text' | 'html'> {
  const [head, body] = splitAt(message, '\r\n\r\n')
  const header = (name: string) => new RegExp(`^${name}: (.*(?:\r\n[ \t].*)*)`, 'im').exec(head)?.[1] ?? ''
  const boundary = /boundary=(\S+)/.exec(header('Content-Type'))?.[1] ?? ''
  const parts = body.split(`--${boundary}`).map((part) => splitAt(part, '\r\n\r\n'))
  const part = (type: string) => quoted(parts.find(([partHead]) => partHead.includes(type))?.[1] ?? '').trim()
  return { subject: words(header('Subject')), text: part('text/plain'), html: part('text/html') }
}

function splitAt(text: string, by: string): [string, string] {
  const at = text.indexOf(by)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + by.length)]
}

function quoted(text: string): string {
  const bytes = text.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString().replaceAll('\r\n', '\n')
}

/** Encoded words of a header: =?utf-8?q?…?= */
function words(header: string): string {
  return header.replace(/\?=\r\n[ \t]=\?/g, '?==?').replace(/=\?utf-8\?q\?(.*?)\?=/gi, (_, word: string) => quoted(word.replaceAll('_', ' ')))
}
