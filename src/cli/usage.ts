import { InvalidArgumentError } from 'commander'

/** The command was asked for something that cannot be: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** A reader of the configuration as a parser of a flag. */
export function flag<T>(read: (value: unknown) => T): (text: string) => T {
  return (text) => {
    try {
      return read(text)
    } catch (error) {
      throw new InvalidArgumentError(`${(error as Error).message}.`)
    }
  }
}
