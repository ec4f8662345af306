/** What the list looks for, as the address keeps it and as the service takes it. */
import type { CaseFilter, CaseOrder, CaseState, DueWindow, Light } from '@/generated/contract'

export interface Wanted {
  text: string
  area: string
  department: string
  state: string
  light: string
  due: string
  source: string
  order: string
}

const NAMES = ['text', 'area', 'department', 'state', 'light', 'due', 'source', 'order'] as const
/** State of the select that is no state of a case: whatever somebody must still act on. */
export const OPEN = 'open'

export const empty = (): Wanted => ({ text: '', area: '', department: '', state: '', light: '', due: '', source: '', order: '' })

/** Searches everybody needs. */
export const PRESETS: readonly { name: string; wanted: Wanted }[] = [
  { name: 'list.preset.overdue', wanted: { ...empty(), due: 'DUE_WINDOW_OVERDUE', order: 'due' } },
  { name: 'list.preset.today', wanted: { ...empty(), due: 'DUE_WINDOW_TODAY', order: 'due' } },
]

/** Reads the query of an address. */
export function fromQuery(query: Record<string, unknown>): Wanted {
  return Object.fromEntries(NAMES.map((name) => [name, typeof query[name] === 'string' ? query[name] : ''])) as unknown as Wanted
}

/** The query that `fromQuery` reads, without what is not asked for. */
export function toQuery(wanted: Wanted): Record<string, string> {
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value))
}

/** The filter of the service. */
export function toFilter(wanted: Wanted): CaseFilter {
  const filter: CaseFilter = {}
  if (wanted.text.trim()) filter.text = wanted.text.trim()
  if (wanted.area) filter.areaPrefix = wanted.area
  if (wanted.department) filter.department = wanted.department
  if (wanted.state === OPEN) filter.open = true
  else if (wanted.state) filter.states = [wanted.state as CaseState]
  if (wanted.light) filter.light = wanted.light as Light
  if (wanted.due) filter.due = wanted.due as DueWindow
  if (wanted.source) filter.sources = [wanted.source]
  return filter
}

/** The choices of a kept search; what the page has no control for is left out. */
export function fromFilter(filter: CaseFilter): Wanted {
  return {
    ...empty(),
    text: filter.text ?? '',
    area: filter.areaPrefix ?? '',
    department: filter.department ?? '',
    state: filter.open ? OPEN : (filter.states?.[0] ?? ''),
    light: filter.light ?? '',
    due: filter.due ?? '',
    source: filter.sources?.[0] ?? '',
  }
}

/** What is found by words comes by the time of the report, whatever order is chosen. */
export function orderOf(wanted: Wanted): CaseOrder {
  if (wanted.text.trim()) return 'CASE_ORDER_UNSPECIFIED'
  return wanted.order === 'due' ? 'CASE_ORDER_DUE' : wanted.order === 'changed' ? 'CASE_ORDER_CHANGED' : 'CASE_ORDER_UNSPECIFIED'
}
