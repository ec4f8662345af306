/**
 * The serial counterfactual: the same work, department after department. The formula is the assessment's (`CaseLedger.serial_minutes`):
 * each task's own time, lead first, then the joint tasks in the order of the dispatch, hand-overs free, and the time the case stood
 * still, once. While the case runs, the
 * page reckons it from the spans so far; once the ledger has it, the ledger's figures are shown.
 */
import type { CaseLedger } from '@/generated/contract'
import type { Lane } from './spans'

export interface Ghost {
  taskId: string
  department: string
  from: number
  to: number
}

export interface Comparison {
  ghosts: Ghost[]
  /** ms from the report until handled (or now), and what the serial way would have taken. */
  actual: number
  serial: number
  /** Share of time saved, 0 to 1; 0 when the serial way is no longer. */
  saved: number
}

const MINUTE = 60_000

/** Time a task cost its own department: everything but waiting for other tasks and the time the case stood still. */
function ownTime(lane: Lane): number {
  return lane.spans.filter((span) => span.kind !== 'waiting' && span.kind !== 'suspended').reduce((sum, span) => sum + span.to - span.from, 0)
}

function timesOf(lanes: Lane[], ledger: CaseLedger | null): { taskId: string; department: string; time: number }[] {
  if (ledger?.serialMinutes) {
    const records = (ledger.tasks ?? []).filter((record) => !record.removed)
    return records.map(({ taskId = '', department = '', waitingMinutes = 0, workingMinutes = 0 }) => ({ taskId, department, time: (waitingMinutes + workingMinutes) * MINUTE }))
  }
  const kept = lanes.filter(({ task }) => task.state !== 'TASK_STATE_REMOVED')
  const leadFirst = kept.toSorted((one, other) => Number(other.task.role === 'TASK_ROLE_LEAD') - Number(one.task.role === 'TASK_ROLE_LEAD'))
  return leadFirst.map((lane) => ({ taskId: lane.task.taskId ?? '', department: lane.task.department ?? '', time: ownTime(lane) }))
}

/** Lays the tasks one behind the other from the dispatch on; null before it or with a single task (nothing to compare). */
export function compare(lanes: Lane[], ledger: CaseLedger | null, reportedAt: number, dispatchedAt: number, endAt: number, stillTime = 0): Comparison | null {
  if (lanes.length < 2 || Number.isNaN(dispatchedAt)) return null
  let from = dispatchedAt
  const ghosts = timesOf(lanes, ledger).map(({ taskId, department, time }) => {
    const ghost = { taskId, department, from, to: from + time }
    from += time
    return ghost
  })
  const actual = ledger?.actualMinutes ? ledger.actualMinutes * MINUTE : endAt - reportedAt
  const serial = ledger?.serialMinutes ? ledger.serialMinutes * MINUTE : from - reportedAt + stillTime
  return { ghosts, actual, serial, saved: serial > actual ? 1 - actual / serial : 0 }
}
