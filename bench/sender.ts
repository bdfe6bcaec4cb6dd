/** The sender, a process of its own: what it uses must not count as what the receiver uses. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { BatchSize } from './payload.ts'

export type Transport = 'http' | 'grpc'

export interface SenderOptions {
  readonly size: BatchSize
  readonly gzip: boolean
  /** How many spans to compress beforehand. */
  readonly poolSpans: number
  readonly seed: number
  readonly roots?: boolean
}

export interface RunOptions {
  readonly transport: Transport
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** Paced to this many agent requests a second; default: as fast as the receiver answers. */
  readonly requestsPerSecond?: number
  /** Stops after this many agent requests. */
  readonly maxRequests?: number
}

export interface SendResult {
  /** Of batches that were taken. */
  readonly spans: number
  readonly requests: number
  readonly rejectedSpans: number
  readonly batches: number
  readonly failures: number
  /** Why the last one failed. */
  readonly error: string
  readonly seconds: number
  /** Milliseconds from the first byte of a batch to its answer: half of them, 99 in 100, all of them took no longer. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export type Command = { readonly run: RunOptions } | { readonly rewind: true }
export type Message = { readonly ready: true } | { readonly sent: number } | { readonly result: SendResult }

export interface Sender {
  /** `onSecond` is told the spans taken so far, each second. */
  run(options: RunOptions, onSecond?: (spans: number) => void): Promise<SendResult>
  /** Makes compressed batches available again, for a receiver that has not seen them. */
  rewind(): void
  stop(): void
}

export async function startSender(options: SenderOptions): Promise<Sender> {
  const child = fork(fileURLToPath(new URL('sender-child.ts', import.meta.url)), [JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const leave = () => child.kill()
  process.once('exit', leave)
  await messageOf(child, (message) => ('ready' in message ? true : undefined))
  return {
    run(run, onSecond) {
      child.send({ run } satisfies Command)
      return messageOf(child, (message) => {
        if ('sent' in message) onSecond?.(message.sent)
        return 'result' in message ? message.result : undefined
      })
    },
    rewind: () => { child.send({ rewind: true } satisfies Command) },
    stop: () => {
      process.off('exit', leave)
      child.kill()
    },
  }
}

/** Resolves with the first thing that `pick` finds in a message of the child. */
function messageOf<T>(child: ChildProcess, pick: (message: Message) => T | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown) => {
      const found = pick(message as Message)
      if (found === undefined) return
      off()
      resolve(found)
    }
    const onExit = (code: number | null, signal: string | null) => {
      off()
      reject(new Error(`cannot send: the sender ended with ${signal ?? `code ${code}`}`))
    }
    const off = () => {
      child.off('message', onMessage)
      child.off('exit', onExit)
    }
    child.on('message', onMessage)
    child.on('exit', onExit)
  })
}
