/** The residences of one person on an axis of days: where they lived, where they were registered, and when the two were apart. Pure. */
import type { Residence } from '@/generated/contract'

const DAY = 86_400_000

export interface Bar {
  residence: Residence
  /** Days since 1970; `to` is the day after the last. */
  from: number
  to: number
  /** Whether it still lasts. */
  open: boolean
}

export interface Split {
  from: number
  to: number
  open: boolean
  home: Residence
  registered: Residence
}

export interface Course {
  /** Homes, oldest first; several at once stand in rows below each other. */
  homes: Bar[][]
  registered: Bar[][]
  /** When somebody was registered elsewhere than they lived (人户分离). */
  splits: Split[]
  from: number
  to: number
}

const dayOf = (text: string | undefined): number => (text ? Math.round(Date.parse(text) / DAY) : Number.NaN)
export const textOf = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10)
const isRegistration = (one: Residence): boolean => one.kind === 'RESIDENCE_KIND_REGISTERED'

/** Whether one place lies in the other: a registration may name no more than a province. */
export function samePlace(one: Residence, other: Residence): boolean {
  if (one.houseId && other.houseId) return one.houseId === other.houseId
  const [a, b] = [communityOf(one.areaCode), communityOf(other.areaCode)]
  return a.startsWith(b) || b.startsWith(a)
}

const communityOf = (code = ''): string => code.slice(0, 12)

function barOf(residence: Residence, today: number, first: number): Bar {
  const from = dayOf(residence.since)
  const until = dayOf(residence.until)
  const open = Number.isNaN(until)
  return { residence, from: Number.isNaN(from) ? first : from, to: open ? today : Math.max(until + 1, from + 1 || first + 1), open }
}

/** Puts bars into as few rows as keep them apart. */
function rowsOf(bars: Bar[]): Bar[][] {
  const rows: Bar[][] = []
  for (const bar of bars.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    const row = rows.find((one) => (one.at(-1)?.to ?? 0) <= bar.from)
    if (row) row.push(bar)
    else rows.push([bar])
  }
  return rows
}

/** Periods in which somebody lived in none of the places where they were registered, joined where they touch. */
function splitsOf(homes: Bar[], registered: Bar[]): Split[] {
  const found: Split[] = []
  for (const there of registered)
    for (const home of homes) {
      const [from, to] = [Math.max(home.from, there.from), Math.min(home.to, there.to)]
      const together = homes.some((one) => one.from < to && one.to > from && samePlace(one.residence, there.residence))
      if (from < to && !together) found.push({ from, to, open: home.open && there.open, home: home.residence, registered: there.residence })
    }
  return found.toSorted((a, b) => a.from - b.from)
}

/** `today`: YYYY-MM-DD. */
export function courseOf(residences: readonly Residence[], today: string): Course {
  const now = dayOf(today) + 1
  const known = residences.map(({ since }) => dayOf(since)).filter((day) => !Number.isNaN(day))
  const first = Math.min(now - 365, ...known)
  const bars = residences.map((one) => barOf(one, now, first))
  const [homes, registered] = [bars.filter(({ residence }) => !isRegistration(residence)), bars.filter(({ residence }) => isRegistration(residence))]
  const last = Math.max(now, ...bars.map(({ to }) => to))
  return { homes: rowsOf(homes), registered: rowsOf(registered), splits: splitsOf(homes, registered), from: first, to: last }
}

/** Years to write under the axis: at most `most`, evenly. */
export function yearsOf(course: Course, most: number): { year: number; day: number }[] {
  const [first, last] = [Number(textOf(course.from).slice(0, 4)) + 1, Number(textOf(course.to).slice(0, 4))]
  const step = Math.max(1, Math.ceil((last - first + 1) / most))
  const years = Array.from({ length: Math.max(0, Math.floor((last - first) / step) + 1) }, (_, at) => first + at * step)
  return years.map((year) => ({ year, day: dayOf(`${year}-01-01`) }))
}
