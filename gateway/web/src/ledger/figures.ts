/** Reckoning of the ledger pages: units, rows of the charts, shares of a critical path. Pure; minutes in, minutes out. */
import type { CategoryComparison, CriticalMinutes, CriticalShare, StepKind } from '@/generated/contract'

export interface Unit {
  /** Minutes in one. */
  size: number
  name: 'second' | 'minute' | 'hour' | 'day'
}

const UNITS: Unit[] = [
  { size: 1_440, name: 'day' },
  { size: 60, name: 'hour' },
  { size: 1, name: 'minute' },
  { size: 1 / 60, name: 'second' },
]

/** The unit in which the longest of some times is a number people read easily: at least 3. */
export function unitOf(minutes: number[]): Unit {
  const longest = Math.max(0, ...minutes)
  return UNITS.find(({ size }) => longest >= 3 * size) ?? (UNITS.at(-1) as Unit)
}

/** Minutes in a unit, to one decimal. */
export const inUnit = (minutes: number, unit: Unit): number => Math.round((minutes / unit.size) * 10) / 10

/** Share of time the parallel way saves, 0 to 1; 0 when the serial way is no longer. */
export function savedShare(row: CategoryComparison): number {
  const { medianActualMinutes: actual = 0, medianSerialMinutes: serial = 0 } = row
  return serial > actual ? 1 - actual / serial : 0
}

/** Categories with parallel cases, those that save most time first. */
export function comparedRows(rows: CategoryComparison[], most = 12): CategoryComparison[] {
  const parallel = rows.filter((row) => Number(row.parallelCases ?? 0) > 0)
  return parallel.toSorted((one, other) => (other.medianSavedMinutes ?? 0) - (one.medianSavedMinutes ?? 0)).slice(0, most)
}

/** What somebody had of critical paths, in one category or ('') in all. */
export interface Holder {
  kind: StepKind
  department: string
  minutes: number
  waiting: number
  working: number
  suspended: number
  /** What is neither: a dispatch or coordination that did not stand still. */
  other: number
  /** 0 to 1. */
  share: number
  cases: number
}

type Shared = CriticalMinutes | CriticalShare

/** Rows of `CriticalMinutes`, or the shares of one case, the largest first. */
export function holdersOf(rows: Shared[]): Holder[] {
  const whole = rows.reduce((sum, row) => sum + (row.minutes ?? 0), 0)
  return rows.map((row) => holderOf(row, whole)).toSorted((one, other) => other.minutes - one.minutes)
}

function holderOf(row: Shared, whole: number): Holder {
  const { kind = 'STEP_KIND_UNSPECIFIED', department = '', minutes = 0, waitingMinutes = 0, workingMinutes = 0, suspendedMinutes = 0 } = row
  const cases = 'cases' in row ? Number(row.cases ?? 0) : 1
  const other = Math.max(0, minutes - waitingMinutes - workingMinutes - suspendedMinutes)
  return { kind, department, minutes, waiting: waitingMinutes, working: workingMinutes, suspended: suspendedMinutes, other, share: whole ? minutes / whole : 0, cases }
}

/** The month of a time in Asia/Shanghai, as the service names it: "2026-03". */
export const monthOf = (time: number): string => new Date(time + 8 * 3_600_000).toISOString().slice(0, 7)
