/** The choices of the inbox, as the address keeps them. */
import type { DueWindow, TaskFilter } from '@/generated/contract'

/** Reads the query of an address. */
export function filterOf(query: Record<string, unknown>): TaskFilter {
  const due = typeof query.due === 'string' && query.due ? { due: query.due as DueWindow } : {}
  return { mine: query.mine === '1', ...due }
}

/** The query that `filterOf` reads. */
export function queryOf(filter: TaskFilter): Record<string, string> {
  return { ...(filter.mine ? { mine: '1' } : {}), ...(filter.due ? { due: filter.due } : {}) }
}
