/** What each action on a case or a task asks for. Pure. */
import { LegalRoute, type Case, type Task } from '@/generated/contract'
import { always, isEmpty, linesOf, localOf, type Field, type Option, type Values, type Words } from '@/forms/fields'
import { leadOf, mostMinutes, type Action } from './actions'
import { freeDepartments, options } from './departments'
import DuplicatePicker from './DuplicatePicker.vue'
import FieldTasks from './FieldTasks.vue'
import NewTasks from './NewTasks.vue'

export interface Context {
  item: Case
  task: Task | null
  /** The server's time, ms. */
  now: number
}

type CaseField = Field<Context>
export type FormAction = Exclude<Action, 'DispatchCase'>

const text = (name: string, more: Partial<CaseField> = {}): CaseField => ({ name, kind: 'text', label: `action.field.${name}`, required: always, ...more })
const verdict = (name: string, yes: string, no: string): CaseField => ({ name, kind: 'verdict', label: `action.field.${name}`, required: always, yes, no })
const files = (name: string, more: Partial<CaseField> = {}): CaseField => ({ name, kind: 'attachments', label: `action.field.${name}`, ...more })
const reason = text('reason')
const optional = (field: CaseField): CaseField => ({ ...field, required: undefined })

/** As the service sees it: also a joint department that was let off makes a case a parallel one. */
const isParallel = ({ item }: Context): boolean => (item.tasks ?? []).some(({ role }) => role === 'TASK_ROLE_JOINT')
const isParallelLead = (_: Values, context: Context): boolean => context.task?.role === 'TASK_ROLE_LEAD' && isParallel(context)
const failed = ({ passed }: Values): boolean => passed === false
const adds = (values: Values): boolean => !['description', 'address', 'photos'].some((name) => !isEmpty(values[name]))

/** Departments that can take the lead: those at work, then those that are not in the case. */
function successors(context: Context, words: Words): Option[] {
  const atWork = ['TASK_STATE_ASSIGNED', 'TASK_STATE_ACCEPTED', 'TASK_STATE_RETURNED']
  const lead = leadOf(context.item)
  const inside = (context.item.tasks ?? []).filter((task) => task !== lead && atWork.includes(task.state ?? '')).map((task) => task.department ?? '')
  return [...options(inside, words), ...freeDepartments(context.item, words)]
}

const hours = (minutes: number): number => Math.floor(minutes / 30) / 2
const mostHours = ({ task, now }: Context): number => Math.max(0.5, hours(mostMinutes(task ?? {}, now)))

export const FIELDS: Record<FormAction, CaseField[]> = {
  AcceptCase: [],
  RejectCase: [reason],
  SendBackCase: [text('reason', { label: 'action.field.facts' })],
  ResubmitCase: [
    text('remark', { label: 'action.field.answer', required: adds }),
    text('description', { label: 'action.field.newDescription', required: undefined }),
    { name: 'address', kind: 'line', label: 'action.field.newAddress' },
    files('photos', { label: 'case.photosBefore' }),
  ],
  MergeCase: [{ name: 'into', kind: 'own', label: 'action.field.into', required: always, component: DuplicatePicker }, optional(reason)],
  UnmergeCase: [reason],
  HandleCase: [],
  ReportResult: [text('result'), files('evidence', { label: 'action.field.photos', required: always })],
  RecallCase: [reason],
  AddTasks: [
    {
      name: 'tasks', kind: 'own', label: 'action.field.tasks', required: always, component: NewTasks,
      fault: (value) => ((value as { department?: string }[]).some((plan) => !plan.department) ? 'dispatch.needDepartment' : ''),
    },
    optional(reason),
  ],
  ChangeLead: [{ name: 'department', kind: 'choice', label: 'action.field.newLead', required: always, options: successors }, reason],
  SuspendCase: [
    {
      name: 'until', kind: 'time', label: 'action.field.until', hint: 'action.field.untilHint', required: always,
      fault: (value, { now }) => (String(value) <= localOf(now) ? 'reason.UNTIL_PAST' : ''),
    },
    reason,
  ],
  ResumeCase: [],
  TransferCase: [
    {
      name: 'route', kind: 'choice', label: 'action.field.route', required: always,
      options: (_, { t }) => LegalRoute.slice(1).map((route) => ({ value: route, label: t(`legalRoute.${route}`) })),
    },
    { name: 'authority', kind: 'line', label: 'action.field.authority', required: always },
    text('notice', { hint: 'action.field.noticeHint' }),
    { name: 'remedies', kind: 'lines', label: 'action.field.remedies', hint: 'action.field.remediesHint', required: always, fault: (value) => tooLong(String(value)) },
    reason,
  ],
  WithdrawCase: [optional(reason)],
  VerifyCase: [
    verdict('passed', 'case.passed', 'case.failed'),
    { name: 'failedTaskIds', kind: 'own', label: 'action.field.failedTaskIds', component: FieldTasks, shown: (values, { item }) => failed(values) && !!item.tasks?.length, required: failed },
    text('text', { label: 'action.field.seen', required: failed }),
    files('photos', { required: ({ passed }) => passed === true }),
  ],
  CloseCase: [],
  EvaluateCase: [{ name: 'rating', kind: 'rating', label: 'action.field.rating', required: always }, text('comment', { required: undefined })],
  ReopenCase: [reason],
  AcceptTask: [],
  ReportProgress: [text('text'), files('attachments')],
  CompleteTask: [text('result'), text('unifiedReply', { hint: 'action.field.unifiedReplyHint', shown: isParallelLead }), text('partiesInformed', { hint: 'action.field.partiesInformedHint', shown: isParallelLead }), files('evidence', { hint: (context, { t }) => (isParallel(context) ? '' : t('action.field.evidenceHint')), required: (_, context) => !isParallel(context) })],
  ObjectTask: [reason],
  RuleObjection: [
    verdict('upheld', 'case.upheld', 'case.overruled'),
    { name: 'reassignTo', kind: 'choice', label: 'action.field.reassignTo', hint: 'action.field.reassignHint', shown: ({ upheld }) => upheld === true, options: ({ item }, words) => freeDepartments(item, words) },
    reason,
  ],
  ReturnTask: [reason],
  RemoveTask: [reason],
  ProposeExemption: [reason],
  RuleExemption: [verdict('approved', 'action.exempt', 'action.notExempt'), reason],
  RequestExtension: [
    {
      name: 'hours', kind: 'number', label: 'action.field.hours', required: always, aliases: ['minutes'],
      number: (context) => ({ min: 0.5, max: mostHours(context), step: 0.5 }),
      hint: (context, { t }) => t('action.field.hoursHint', { n: mostHours(context) }),
      wire: (value) => ({ minutes: Math.round(Number(value) * 60) }),
    },
    reason,
  ],
  RuleExtension: [verdict('approved', 'notice.granted', 'notice.notGranted'), reason],
}

const tooLong = (lines: string): string => (linesOf(lines).some((line) => line.length > 200) ? 'action.field.lineTooLong' : '')

/** Actions that are asked to be confirmed though they need nothing more. */
export const CONFIRMED: readonly Action[] = ['CloseCase', 'HandleCase', 'ResumeCase']
/** Actions that take something away from somebody. */
export const GRAVE: readonly Action[] = ['RejectCase', 'RemoveTask', 'RecallCase', 'TransferCase', 'WithdrawCase']

/** Which case, and which task. */
export const givenOf = ({ item, task }: Context): Values => ({ caseId: item.caseId, ...(task ? { taskId: task.taskId } : {}) })
