/** What doctor says of one thing it looked at. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail'
  readonly what: string
  /** What to do next; '' when there is nothing to do. */
  readonly next: string
}
