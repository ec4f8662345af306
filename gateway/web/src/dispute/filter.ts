/** What the list of disputes looks for, as the address keeps it and as the service takes it. Pure. */
import type { DisputeState, ListDisputesRequest } from '@/generated/contract'

export interface Wanted {
  state: string
  /** "1": those the caller mediates. */
  mine: string
  /** "soon": something is due within 7 days; "late": something is overdue. */
  due: string
  area: string
  /** "figures": what was achieved instead of the list. */
  view: string
}

const NAMES = ['state', 'mine', 'due', 'area', 'view'] as const
const WEEK = 7 * 86_400_000

export const fromQuery = (query: Record<string, unknown>): Wanted =>
  Object.fromEntries(NAMES.map((name) => [name, typeof query[name] === 'string' ? query[name] : ''])) as unknown as Wanted

export const toQuery = (wanted: Wanted): Record<string, string> => Object.fromEntries(Object.entries(wanted).filter(([, value]) => value))

/** `now` in ms; `subject` is the caller. */
export function toRequest(wanted: Wanted, subject: string, now: number): ListDisputesRequest {
  const due = { soon: now + WEEK, late: now }[wanted.due]
  return {
    ...(wanted.state ? { states: [wanted.state as DisputeState] } : {}),
    ...(wanted.mine ? { mediator: subject } : {}),
    ...(due ? { dueBefore: new Date(due).toISOString() } : {}),
    ...(wanted.area ? { areaPrefix: wanted.area } : {}),
  }
}
