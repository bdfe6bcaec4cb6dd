/** Queries that may find nothing where everything works, and why. Each is `dashboard: panel refId`. */
export const MAY_BE_EMPTY: Readonly<Record<string, string>> = {}
