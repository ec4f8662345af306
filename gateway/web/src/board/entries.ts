/** What the board keeps of each case: the case, and what is needed to sort and colour it without reading its clocks again. */
import type { Case } from '@/generated/contract'
import { at, LANES, nextDue, runningClocks, taskLight, type Lane } from '@/model/lights'
import { isAwaitingCheck, isFinal, isOpenTask } from '@/model/workflow'

export interface Entry {
  item: Case
  /** Earliest time (ms) at which a running clock turns yellow or red; Infinity without one. */
  yellowAt: number
  redAt: number
  next: ReturnType<typeof nextDue>
}

export interface Filter {
  text: string
  area: string
  department: string
  state: string
}

const earliest = (times: number[]): number => Math.min(Infinity, ...times.filter((time) => !Number.isNaN(time)))

export function entryOf(item: Case): Entry {
  const clocks = runningClocks(item)
  return {
    item,
    yellowAt: earliest(clocks.map((clock) => at(clock.yellowAt))),
    redAt: earliest(clocks.map((clock) => at(clock.dueAt))),
    next: nextDue(item),
  }
}

/** Whether `item` is newer than what the board has: after a resume the same revision may come again, or an older one late. */
export function isNewer(item: Case, known: Entry | undefined): boolean {
  return !known || BigInt(item.revision ?? '0') > BigInt(known.item.revision ?? '0')
}

/** Column of an entry at `now` (ms); null once the case is over. */
export function laneAt(entry: Entry, now: number): Lane | null {
  if (isFinal(entry.item.state)) return null
  if (now >= entry.redAt) return 'red'
  if (now >= entry.yellowAt) return 'yellow'
  return isAwaitingCheck(entry.item.state) ? 'check' : 'green'
}

export function matches({ item }: Entry, filter: Filter): boolean {
  if (filter.area && !item.areaCode?.startsWith(filter.area)) return false
  if (filter.department && !item.tasks?.some((task) => task.department === filter.department)) return false
  if (filter.state && item.state !== filter.state) return false
  if (!filter.text) return true
  const text = `${item.number} ${item.address} ${item.description}`.toLowerCase()
  return text.includes(filter.text.trim().toLowerCase())
}

/** The column a phone opens with: the most pressing one that holds a case. */
export function firstFilled(counts: Record<Lane, number>): Lane {
  return LANES.find((lane) => counts[lane] > 0) ?? 'red'
}

/** What stands first in a column. */
export type Order = 'urgent' | 'newest'

/** Entries by column: the most urgent first (those without a clock by the time of their report), or the last changed first. */
export function lanesOf(entries: Iterable<Entry>, now: number, order: Order = 'urgent'): Record<Lane, Entry[]> {
  const lanes = Object.fromEntries(LANES.map((lane) => [lane, [] as Entry[]])) as Record<Lane, Entry[]>
  for (const entry of entries) {
    const lane = laneAt(entry, now)
    if (lane) lanes[lane].push(entry)
  }
  for (const lane of LANES) lanes[lane].sort(order === 'urgent' ? byUrgency : byChange)
  return lanes
}

function byUrgency(one: Entry, other: Entry): number {
  if (one.redAt !== other.redAt) return one.redAt < other.redAt ? -1 : 1
  return (one.item.reportedAt ?? '') < (other.item.reportedAt ?? '') ? -1 : 1
}

const byChange = (one: Entry, other: Entry): number => ((one.item.changedAt ?? '') > (other.item.changedAt ?? '') ? -1 : 1)

export interface DepartmentLoad {
  department: string
  red: number
  yellow: number
  green: number
}

/** Open tasks of each department by light, the busiest first. */
export function departmentLoads(entries: Iterable<Entry>, now: number): DepartmentLoad[] {
  const loads = new Map<string, DepartmentLoad>()
  for (const { item } of entries) {
    const open = isFinal(item.state) ? [] : (item.tasks ?? []).filter((task) => isOpenTask(task.state))
    for (const task of open) {
      const department = task.department ?? ''
      const load = loads.get(department) ?? { department, red: 0, yellow: 0, green: 0 }
      load[LOAD_OF[taskLight(task, now)]] += 1
      loads.set(department, load)
    }
  }
  return [...loads.values()].sort((one, other) => total(other) - total(one))
}

const LOAD_OF = { LIGHT_RED: 'red', LIGHT_YELLOW: 'yellow', LIGHT_GREEN: 'green', LIGHT_UNSPECIFIED: 'green' } as const
const total = (load: DepartmentLoad): number => load.red + load.yellow + load.green

export interface Bucket {
  from: number
  reported: number
  closed: number
}

/** Counts of `reported` and `closed` times (ms) in `count` equal buckets that end with the one `now` lies in. */
export function bucketsOf(reported: Iterable<number>, closed: Iterable<number>, now: number, size: number, count: number): Bucket[] {
  const last = Math.floor(now / size) * size
  const buckets = Array.from({ length: count }, (_, place) => ({ from: last - (count - 1 - place) * size, reported: 0, closed: 0 }))
  const add = (times: Iterable<number>, key: 'reported' | 'closed'): void => {
    for (const time of times) {
      const bucket = buckets[count - 1 - Math.floor((last + size - 1 - time) / size)]
      if (bucket) bucket[key] += 1
    }
  }
  add(reported, 'reported')
  add(closed, 'closed')
  return buckets
}
