/** How the pages group states; the rules themselves are the service's. Every state of the proto stands here (tested). */
import type { CaseState, TaskState } from '@/generated/contract'

/** The five-step standard 发现、受理、派遣、结案、评估. */
export const STEPS = ['FIND', 'ACCEPT', 'DISPATCH', 'CLOSE', 'EVALUATE'] as const
export type WorkflowStep = (typeof STEPS)[number]

/** `open`: somebody must still act; `final`: nothing runs any more. */
interface StatePlace {
  step: WorkflowStep
  final?: boolean
  /** Ended before it went through all five steps. */
  broken?: boolean
}

export const CASE_STATES: Record<CaseState, StatePlace> = {
  CASE_STATE_UNSPECIFIED: { step: 'FIND' },
  CASE_STATE_DRAFT: { step: 'FIND' },
  CASE_STATE_REPORTED: { step: 'FIND' },
  CASE_STATE_RETURNED: { step: 'FIND' },
  CASE_STATE_MERGED: { step: 'ACCEPT', final: true, broken: true },
  CASE_STATE_REJECTED: { step: 'ACCEPT', final: true, broken: true },
  CASE_STATE_WITHDRAWN: { step: 'ACCEPT', final: true, broken: true },
  CASE_STATE_ACCEPTED: { step: 'ACCEPT' },
  CASE_STATE_SELF_HANDLED: { step: 'DISPATCH' },
  CASE_STATE_DISPATCHED: { step: 'DISPATCH' },
  CASE_STATE_PARALLEL: { step: 'DISPATCH' },
  CASE_STATE_HANDLING: { step: 'DISPATCH' },
  CASE_STATE_SUSPENDED: { step: 'DISPATCH' },
  CASE_STATE_REWORK: { step: 'DISPATCH' },
  CASE_STATE_HANDLED: { step: 'CLOSE' },
  CASE_STATE_VERIFIED: { step: 'CLOSE' },
  CASE_STATE_TRANSFERRED: { step: 'CLOSE', final: true, broken: true },
  CASE_STATE_CLOSED: { step: 'CLOSE', final: true },
  CASE_STATE_EVALUATED: { step: 'EVALUATE', final: true },
}

export const isFinal = (state: CaseState | undefined): boolean => CASE_STATES[state ?? 'CASE_STATE_UNSPECIFIED'].final ?? false

/** Handled or verified: the departments are done, somebody has to look and to close. */
export const isAwaitingCheck = (state: CaseState | undefined): boolean =>
  state === 'CASE_STATE_HANDLED' || state === 'CASE_STATE_VERIFIED'

/** States in which a department still owes something. */
export const OPEN_TASK_STATES: readonly TaskState[] = [
  'TASK_STATE_WAITING', 'TASK_STATE_ASSIGNED', 'TASK_STATE_OBJECTED', 'TASK_STATE_ACCEPTED', 'TASK_STATE_RETURNED',
]

export const isOpenTask = (state: TaskState | undefined): boolean => !!state && OPEN_TASK_STATES.includes(state)

/** Where one step of the five stands for a case in `state`. */
export function stepStatus(step: WorkflowStep, state: CaseState | undefined): 'done' | 'current' | 'stopped' | 'ahead' {
  const place = CASE_STATES[state ?? 'CASE_STATE_UNSPECIFIED']
  const difference = STEPS.indexOf(step) - STEPS.indexOf(place.step)
  if (difference < 0) return 'done'
  if (difference > 0) return 'ahead'
  if (place.broken) return 'stopped'
  return place.final ? 'done' : 'current'
}
