/** Lights and countdowns of clocks, reckoned on the page so that they turn at the second and not at the next message. */
import type { Case, Clock, Light, Task } from '@/generated/contract'
import { isFinal } from './workflow'

/** Columns of the board. */
export type Lane = 'red' | 'yellow' | 'green' | 'check'
export const LANES: readonly Lane[] = ['red', 'yellow', 'green', 'check']

const RANK: Record<Light, number> = { LIGHT_UNSPECIFIED: 0, LIGHT_GREEN: 1, LIGHT_YELLOW: 2, LIGHT_RED: 3 }

/** Milliseconds since 1970 of a proto timestamp; NaN when absent. */
export const at = (timestamp: string | undefined): number => (timestamp ? Date.parse(timestamp) : Number.NaN)

export const worse = (one: Light, other: Light): Light => (RANK[one] >= RANK[other] ? one : other)

/** Light of one clock: of a met clock, the light it was met under; of one that stands still, that of then; `now` in ms. */
export function lightOf(clock: Clock, now: number): Light {
  const stopped = clock.metAt ?? clock.pausedAt
  const when = stopped ? at(stopped) : now
  if (when >= at(clock.dueAt)) return 'LIGHT_RED'
  return when >= at(clock.yellowAt) ? 'LIGHT_YELLOW' : 'LIGHT_GREEN'
}

const ended = (task: Task): boolean => task.state === 'TASK_STATE_DONE' || task.state === 'TASK_STATE_REMOVED'

/** Clocks of a task that still run; none once it is done or removed. */
export const runningTaskClocks = (task: Task): Clock[] =>
  ended(task) ? [] : (task.clocks ?? []).filter((clock) => !clock.metAt && clock.dueAt)

/** All clocks of a case and its tasks that still run. */
export function runningClocks(item: Case): Clock[] {
  if (isFinal(item.state)) return []
  const own = (item.clocks ?? []).filter((clock) => !clock.metAt && clock.dueAt)
  return [...own, ...(item.tasks ?? []).flatMap(runningTaskClocks)]
}

const worstOf = (clocks: Clock[], now: number): Light => clocks.map((clock) => lightOf(clock, now)).reduce(worse, 'LIGHT_UNSPECIFIED')

/** Worst light of a case's running clocks. */
export const caseLight = (item: Case, now: number): Light => worstOf(runningClocks(item), now)

/** Worst light of a task: running clocks while it is open, met ones afterwards. */
export const taskLight = (task: Task, now: number): Light => worstOf(ended(task) ? (task.clocks ?? []) : runningTaskClocks(task), now)

/** The clock that runs out first, with its department when it is a task's. */
export function nextDue(item: Case): { clock: Clock; department: string } | null {
  if (isFinal(item.state)) return null
  const own = (item.clocks ?? []).map((clock) => ({ clock, department: '' }))
  const tasks = (item.tasks ?? []).flatMap((task) => runningTaskClocks(task).map((clock) => ({ clock, department: task.department ?? '' })))
  const running = [...tasks, ...own].filter(({ clock }) => !clock.metAt && clock.dueAt)
  return running.reduce<(typeof running)[number] | null>((first, one) => (first && at(first.clock.dueAt) <= at(one.clock.dueAt) ? first : one), null)
}

/** Share of a clock's time that is used, 0 to 1. */
export function usedShare(clock: Clock, now: number): number {
  const start = at(clock.startedAt)
  const share = (now - start) / (at(clock.dueAt) - start)
  return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0
}
