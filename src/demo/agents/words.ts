/** What the demo's agents are asked, what they answer and what their tools give back: few words, so that checks, hashes and a judge have something to read. */
import type { Random } from './random.ts'

export interface Exchange {
  readonly question: string
  readonly answer: string
  /** What is said instead by an agent that has lost the thread. */
  readonly lost: string
}

const EXCHANGES: Readonly<Record<string, readonly Exchange[]>> = {
  customer_service_agent: [
    { question: 'Where is my order 48213? It should have been here on Monday.', answer: 'Order 48213 left the warehouse on Friday and arrives tomorrow before noon. I have sent you the tracking link.', lost: 'You can place an order on our website at any time.' },
    { question: '¿Puedo devolver los zapatos si ya los he usado una vez?', answer: 'Sí: dentro de 30 días puede devolverlos si la suela no está dañada. La etiqueta de devolución va en el correo que acaba de recibir.', lost: 'Los zapatos se envían en 3 días laborables.' },
    { question: 'Mir wurde der Betrag zweimal abgebucht. Wann bekomme ich das Geld zurück?', answer: 'Die zweite Abbuchung von 59,90 € ist storniert. Das Geld ist in drei bis fünf Werktagen auf Ihrem Konto.', lost: 'Bitte geben Sie Ihre Bestellnummer an.' },
  ],
  code_review_agent: [
    { question: 'Review the change to the retry loop of the payments client.', answer: 'Two findings. The loop retries a request that is not idempotent: send an idempotency key. The wait grows without a limit: cap it at 30 s.', lost: 'The change looks good.' },
    { question: 'Review the migration that adds tenant_id to the ledger.', answer: 'One finding. The index is built in the transaction and locks the table: build it concurrently.', lost: 'Add more comments.' },
  ],
  tool_agent: [
    { question: 'Open a ticket: the nightly export of invoices is late again.', answer: 'Ticket OPS-1841 is open and assigned to the team on call.', lost: 'I cannot help with that.' },
    { question: 'How many requests did the search service fail yesterday?', answer: 'The search service failed 214 of 1,903,552 requests yesterday, 0.011 %.', lost: 'The search service is a service that searches.' },
  ],
}

const ANYTHING: readonly Exchange[] = [{ question: 'What is the state of this?', answer: 'All is well.', lost: 'I do not know.' }]

const ALL = [...Object.values(EXCHANGES).flat(), ...ANYTHING]

export function exchange(agent: string, random: Random): Exchange {
  return random.one(EXCHANGES[agent] ?? ANYTHING)
}

/** What an agent that has lost the thread says to a question. */
export function lostAnswer(question: string): string {
  return ALL.find((one) => one.question === question)?.lost ?? ANYTHING[0]!.lost
}

/** Whether it is said in a text, wherever. */
export function isLost(text: string): boolean {
  return ALL.some(({ lost }) => text.includes(lost))
}

const RESULTS: Readonly<Record<string, (random: Random) => object>> = {
  lookup_order: (random) => ({ order: random.count(10_000, 99_999), state: random.one(['packed', 'sent', 'delivered']) }),
  shipping_status: (random) => ({ carrier: 'northpost', days_left: random.count(0, 4) }),
  refund_policy: () => ({ days: 30, condition: 'unworn' }),
  read_diff: (random) => ({ files: random.count(1, 12), lines: random.count(8, 400) }),
  run_linter: (random) => ({ warnings: random.count(0, 5) }),
  create_ticket: (random) => ({ ticket: `OPS-${random.count(1000, 9999)}` }),
  query_metrics: (random) => ({ value: random.count(0, 5000) / 100 }),
  list_invoices: (random) => ({ invoices: random.count(0, 40), total: random.count(0, 90_000) / 100 }),
  escalate_to_human: () => ({ queue: 'support', accepted: true }),
}

export function toolResult(tool: string, random: Random): string {
  return JSON.stringify(RESULTS[tool]?.(random) ?? { ok: true })
}
