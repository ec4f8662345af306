/**
 * What the logged-in person can do with a case or a task now. The service decides in the end (svc-mediation's workflow table);
 * this only keeps buttons away that it would refuse. Roles come from the protos through `mayCall`.
 */
import { mayCall, type Me } from '@/api/session'
import type { Case, CaseState, Task, TaskState } from '@/generated/contract'
import { at } from '@/model/lights'
import { isFinal, isOpenTask } from '@/model/workflow'

export type CaseAction =
  | 'AcceptCase' | 'DispatchCase' | 'RejectCase' | 'SendBackCase' | 'ResubmitCase' | 'MergeCase' | 'UnmergeCase' | 'HandleCase' | 'ReportResult'
  | 'RecallCase' | 'AddTasks' | 'ChangeLead' | 'SuspendCase' | 'ResumeCase' | 'TransferCase' | 'WithdrawCase' | 'VerifyCase' | 'CloseCase'
  | 'EvaluateCase' | 'ReopenCase'
export type TaskAction =
  | 'AcceptTask' | 'ReportProgress' | 'CompleteTask' | 'ObjectTask' | 'RuleObjection' | 'ReturnTask' | 'RemoveTask' | 'ProposeExemption'
  | 'RuleExemption' | 'RequestExtension' | 'RuleExtension'
export type Action = CaseAction | TaskAction

/** States in which departments have work, or had it just now. */
const AT_WORK: readonly CaseState[] = ['CASE_STATE_DISPATCHED', 'CASE_STATE_PARALLEL', 'CASE_STATE_HANDLING']
const WORKING: readonly CaseState[] = [...AT_WORK, 'CASE_STATE_REWORK', 'CASE_STATE_HANDLED']
const UNDER_WAY: readonly CaseState[] = ['CASE_STATE_HANDLING', 'CASE_STATE_PARALLEL']

/** In the order in which they are offered; the first is what is usually next. */
const CASE_ACTIONS: Record<CaseAction, readonly CaseState[]> = {
  DispatchCase: ['CASE_STATE_REPORTED', 'CASE_STATE_ACCEPTED'],
  ResubmitCase: ['CASE_STATE_RETURNED'],
  HandleCase: ['CASE_STATE_ACCEPTED'],
  AcceptCase: ['CASE_STATE_REPORTED'],
  RejectCase: ['CASE_STATE_REPORTED', 'CASE_STATE_RETURNED'],
  SendBackCase: ['CASE_STATE_REPORTED'],
  MergeCase: ['CASE_STATE_REPORTED'],
  UnmergeCase: ['CASE_STATE_MERGED'],
  WithdrawCase: ['CASE_STATE_ACCEPTED'],
  ReportResult: ['CASE_STATE_SELF_HANDLED', 'CASE_STATE_REWORK'],
  ResumeCase: ['CASE_STATE_SUSPENDED'],
  AddTasks: AT_WORK,
  ChangeLead: AT_WORK,
  SuspendCase: UNDER_WAY,
  TransferCase: UNDER_WAY,
  RecallCase: ['CASE_STATE_DISPATCHED', 'CASE_STATE_SELF_HANDLED'],
  VerifyCase: ['CASE_STATE_HANDLED'],
  CloseCase: ['CASE_STATE_VERIFIED'],
  EvaluateCase: ['CASE_STATE_CLOSED'],
  ReopenCase: ['CASE_STATE_EVALUATED'],
}

/** Ways a case seldom takes: offered, but never as the main button. */
export const RARE: readonly CaseAction[] = ['AddTasks', 'ChangeLead', 'SuspendCase', 'TransferCase', 'RecallCase', 'WithdrawCase', 'UnmergeCase']

const OPEN_TASKS: readonly TaskState[] = ['TASK_STATE_WAITING', 'TASK_STATE_ASSIGNED', 'TASK_STATE_OBJECTED', 'TASK_STATE_ACCEPTED', 'TASK_STATE_RETURNED']
const HELD_TASKS: readonly TaskState[] = ['TASK_STATE_ASSIGNED', 'TASK_STATE_ACCEPTED', 'TASK_STATE_RETURNED']

const TASK_ACTIONS: Record<TaskAction, readonly TaskState[]> = {
  AcceptTask: ['TASK_STATE_ASSIGNED', 'TASK_STATE_RETURNED'],
  CompleteTask: ['TASK_STATE_ACCEPTED'],
  ReportProgress: ['TASK_STATE_ACCEPTED'],
  ObjectTask: ['TASK_STATE_ASSIGNED'],
  RuleObjection: ['TASK_STATE_OBJECTED'],
  RuleExtension: HELD_TASKS,
  RuleExemption: OPEN_TASKS,
  ReturnTask: ['TASK_STATE_DONE'],
  RequestExtension: HELD_TASKS,
  ProposeExemption: OPEN_TASKS,
  RemoveTask: OPEN_TASKS,
}

const COORDINATORS = ['DISPATCHER', 'STREET_CENTER', 'GRID_SUPERVISOR']
/** A rating up to this one says that the reporter is dissatisfied (workflow.yaml, evaluated → accepted). */
const DISSATISFIED = 2

export const leadOf = (item: Case): Task | undefined => item.tasks?.find((task) => task.role === 'TASK_ROLE_LEAD' && task.state !== 'TASK_STATE_REMOVED')
const coordinates = (me: Me): boolean => me.roles.some((role) => COORDINATORS.includes(role))
const leads = (item: Case, me: Me): boolean => !!me.department && leadOf(item)?.department === me.department
const reported = (item: Case, me: Me): boolean => item.reporter?.subject === me.sub
/** Supervision and handling are separate: whoever worked on a case neither checks nor closes it. */
const handled = (item: Case, me: Me): boolean => item.handlers?.includes(me.sub) ?? false

/** Conditions beside state and role. */
const CASE_GUARDS: Partial<Record<CaseAction, (item: Case, me: Me) => boolean>> = {
  ResubmitCase: reported,
  WithdrawCase: reported,
  EvaluateCase: reported,
  VerifyCase: (item, me) => !handled(item, me),
  CloseCase: (item, me) => !handled(item, me),
  ReportResult: (item) => item.state === 'CASE_STATE_SELF_HANDLED' || !!item.selfHandling,
  ChangeLead: (item) => !item.leadChanges && isOpenTask(leadOf(item)?.state),
  SuspendCase: (item) => !item.suspension,
  TransferCase: (item, me) => me.roles.includes('GRID_MEDIATOR') || leads(item, me),
  ReopenCase: (item) => !item.reopenings && !!item.evaluation?.rating && item.evaluation.rating <= DISSATISFIED,
}

export function caseActions(item: Case, me: Me): CaseAction[] {
  const may = (action: CaseAction): boolean => mayCall(action) && (CASE_GUARDS[action]?.(item, me) ?? true)
  return (Object.keys(CASE_ACTIONS) as CaseAction[]).filter((action) => item.state && CASE_ACTIONS[action].includes(item.state) && may(action))
}

/** Whether the case may become a dispute under mediation: the service looks closer at its kind. */
export function mayOpenDispute(item: Case): boolean {
  const taken = !isFinal(item.state) && item.state !== 'CASE_STATE_DRAFT' && item.state !== 'CASE_STATE_RETURNED'
  return taken && !!item.category?.startsWith('A') && item.category !== 'A0105' && mayCall('OpenDispute')
}

export function taskActions(item: Case, task: Task, me: Me, now: number): TaskAction[] {
  if (!item.state || !WORKING.includes(item.state)) return []
  return (Object.keys(TASK_ACTIONS) as TaskAction[]).filter(
    (action) => task.state && TASK_ACTIONS[action].includes(task.state) && mayCall(action) && TASK_GUARDS[action](item, task, me, now),
  )
}

type TaskGuard = (item: Case, task: Task, me: Me, now: number) => boolean

const ours: TaskGuard = (_, task, me) => !!task.department && task.department === me.department
const joint: TaskGuard = (_, task) => task.role !== 'TASK_ROLE_LEAD'

/** Departments act on their own tasks, the lead proposes and sends back, coordinators rule, and nobody on what they asked for. */
const TASK_GUARDS: Record<TaskAction, TaskGuard> = {
  AcceptTask: ours,
  CompleteTask: ours,
  ReportProgress: ours,
  ObjectTask: (item, task, me, now) => ours(item, task, me, now) && !task.objection,
  RuleObjection: (_, task, me) => task.objection?.by !== me.sub,
  ReturnTask: (item, _, me) => coordinates(me) || leads(item, me),
  RemoveTask: joint,
  ProposeExemption: (item, task, me, now) => joint(item, task, me, now) && leads(item, me) && !task.exemption,
  RuleExemption: (_, task, me) => !!task.exemption && !task.exemption.ruledAt && task.exemption.by !== me.sub,
  RequestExtension: (item, task, me, now) => ours(item, task, me, now) && !task.extension && mostMinutes(task, now) > 0,
  RuleExtension: (_, task, me) => !!task.extension && !task.extension.ruledAt && task.extension.by !== me.sub,
}

/** How many minutes more a department may ask for now (ms): half of a limit that runs, none of a statutory one. */
export function mostMinutes(task: Task, now: number): number {
  const clock = task.clocks?.find((one) => one.kind === 'CLOCK_KIND_RESOLVE' && !one.metAt)
  if (!clock || clock.calendar === 'CALENDAR_STATUTORY' || now >= at(clock.dueAt)) return 0
  return Math.floor((clock.limitMinutes ?? 0) / 2)
}
