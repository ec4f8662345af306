/**
 * What the logged-in person can do with a case or a task now. The service decides in the end (svc-mediation's workflow table);
 * this only keeps buttons away that it would refuse. Roles come from the protos through `mayCall`.
 */
import { mayCall, type Me } from '@/api/session'
import type { Case, CaseState, Rpcs, Task, TaskState } from '@/generated/contract'

export type CaseAction = 'AcceptCase' | 'DispatchCase' | 'RejectCase' | 'VerifyCase' | 'CloseCase'
export type TaskAction = 'AcceptTask' | 'ReportProgress' | 'CompleteTask' | 'ObjectTask' | 'RuleObjection' | 'ReturnTask'
export type Action = CaseAction | TaskAction

export type FieldKind = 'text' | 'verdict' | 'attachments' | 'tasks' | 'department'

export interface Field {
  name: string
  kind: FieldKind
  /** Key under `action.field`. */
  label: string
  hint?: string
  required?: (values: Values) => boolean
  shown?: (values: Values, context: Context) => boolean
}

export type Values = Record<string, unknown>

export interface Context {
  item: Case
  task: Task | null
}

const CASE_ACTIONS: Record<CaseAction, readonly CaseState[]> = {
  DispatchCase: ['CASE_STATE_REPORTED', 'CASE_STATE_ACCEPTED'],
  AcceptCase: ['CASE_STATE_REPORTED'],
  RejectCase: ['CASE_STATE_REPORTED'],
  VerifyCase: ['CASE_STATE_HANDLED'],
  CloseCase: ['CASE_STATE_VERIFIED'],
}

const TASK_ACTIONS: Record<TaskAction, readonly TaskState[]> = {
  AcceptTask: ['TASK_STATE_ASSIGNED', 'TASK_STATE_RETURNED'],
  CompleteTask: ['TASK_STATE_ACCEPTED'],
  ReportProgress: ['TASK_STATE_ACCEPTED'],
  ObjectTask: ['TASK_STATE_ASSIGNED'],
  RuleObjection: ['TASK_STATE_OBJECTED'],
  ReturnTask: ['TASK_STATE_DONE'],
}

/** Cases in which departments may act. */
const WORKING: readonly CaseState[] = [
  'CASE_STATE_DISPATCHED', 'CASE_STATE_PARALLEL', 'CASE_STATE_HANDLING', 'CASE_STATE_REWORK', 'CASE_STATE_HANDLED',
]
const COORDINATORS = ['DISPATCHER', 'STREET_CENTER', 'GRID_SUPERVISOR']

export function caseActions(item: Case): CaseAction[] {
  return (Object.keys(CASE_ACTIONS) as CaseAction[]).filter((action) => item.state && CASE_ACTIONS[action].includes(item.state) && mayCall(action))
}

export function taskActions(item: Case, task: Task, me: Me): TaskAction[] {
  if (!item.state || !WORKING.includes(item.state)) return []
  return (Object.keys(TASK_ACTIONS) as TaskAction[]).filter(
    (action) => task.state && TASK_ACTIONS[action].includes(task.state) && mayCall(action) && isOurs(action, item, task, me),
  )
}

/** Departments act on their own tasks, once by objection; only the lead department (or a coordinator) returns tasks. */
function isOurs(action: TaskAction, item: Case, task: Task, me: Me): boolean {
  if (action === 'RuleObjection') return true
  if (action === 'ReturnTask') {
    const lead = item.tasks?.find((one) => one.role === 'TASK_ROLE_LEAD' && one.state !== 'TASK_STATE_REMOVED')
    return me.roles.some((role) => COORDINATORS.includes(role)) || lead?.department === me.department
  }
  return task.department === me.department && !(action === 'ObjectTask' && task.objection)
}

const always = (): boolean => true
const isParallelLead = (_: Values, { item, task }: Context): boolean => task?.role === 'TASK_ROLE_LEAD' && (item.tasks?.length ?? 0) > 1
const reason: Field = { name: 'reason', kind: 'text', label: 'reason', required: always }

/** What each action asks for; an action without fields is sent at once. */
export const FIELDS: Record<Exclude<Action, 'DispatchCase'>, Field[]> = {
  AcceptCase: [],
  RejectCase: [reason],
  CloseCase: [],
  VerifyCase: [
    { name: 'passed', kind: 'verdict', label: 'passed', required: always },
    { name: 'failedTaskIds', kind: 'tasks', label: 'failedTaskIds', shown: ({ passed }) => passed === false, required: ({ passed }) => passed === false },
    { name: 'text', kind: 'text', label: 'seen', required: ({ passed }) => passed === false },
    { name: 'photos', kind: 'attachments', label: 'photos', required: ({ passed }) => passed === true },
  ],
  AcceptTask: [],
  ReportProgress: [
    { name: 'text', kind: 'text', label: 'text', required: always },
    { name: 'attachments', kind: 'attachments', label: 'attachments' },
  ],
  CompleteTask: [
    { name: 'result', kind: 'text', label: 'result', required: always },
    { name: 'unifiedReply', kind: 'text', label: 'unifiedReply', hint: 'unifiedReplyHint', shown: isParallelLead, required: always },
    { name: 'evidence', kind: 'attachments', label: 'evidence' },
  ],
  ObjectTask: [reason],
  RuleObjection: [
    { name: 'upheld', kind: 'verdict', label: 'upheld', required: always },
    { name: 'reassignTo', kind: 'department', label: 'reassignTo', hint: 'reassignHint', shown: ({ upheld }) => upheld === true },
    reason,
  ],
  ReturnTask: [reason],
}

/** Actions that are asked to be confirmed though they need nothing more. */
export const CONFIRMED: readonly Action[] = ['CloseCase']

/** The request of an action: ids, what was entered in fields that are shown, and the revision where the rpc takes one. */
export function requestOf(action: Exclude<Action, 'DispatchCase'>, values: Values, context: Context): Values {
  const shown = FIELDS[action].filter((field) => field.shown?.(values, context) ?? true)
  const entered = shown.map((field) => [field.name, values[field.name]] as const).filter(([, value]) => value !== undefined && value !== '')
  const { item, task } = context
  return { caseId: item.caseId, ...(task ? { taskId: task.taskId } : {}), ...Object.fromEntries(entered) }
}

/** Names of fields that still need something. */
export function missing(action: Exclude<Action, 'DispatchCase'>, values: Values, context: Context): string[] {
  const needed = FIELDS[action].filter((field) => (field.shown?.(values, context) ?? true) && field.required?.(values))
  return needed.filter(({ name }) => isEmpty(values[name])).map(({ name }) => name)
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'string' && !value.trim()) || (Array.isArray(value) && value.length === 0)

export type ActionRequest = Rpcs[Action]['request']
