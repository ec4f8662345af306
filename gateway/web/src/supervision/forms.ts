/** What each verb of supervision asks for. Pure. */
import { always, type Field, type Option, type Values, type Words } from '@/forms/fields'
import { ReplyStance, type Case, type SupervisionOrder } from '@/generated/contract'
import { codesOf, departmentChip } from '@/model/codes'
import { isOpenTask } from '@/model/workflow'
import type { Verb } from './orders'

export interface Context {
  item: Case
  order: SupervisionOrder | null
}

type OrderField = Field<Context>
const field = (name: string, kind: OrderField['kind'], more: Partial<OrderField> = {}): OrderField => ({ name, kind, label: `supervision.field.${name}`, required: always, ...more })
/** Minutes of the request, entered as hours; an order takes at most 15 working days. */
const hours = (minutes: string, more: Partial<OrderField>): OrderField =>
  field('hours', 'number', { number: () => ({ min: 0.5, max: 112.5, step: 0.5 }), aliases: [minutes], wire: (value) => ({ [minutes]: Math.round(Number(value) * 60) }), ...more })
const optional = { required: undefined }
const reason = field('reason', 'text')

const openTasks = (item: Case) => (item.tasks ?? []).filter((task) => isOpenTask(task.state))

/** What an order can be about: a task by its id, or a department ("@FIRE") for the case as a whole. */
function subjects({ item }: Context, { t, language }: Words): Option[] {
  const name = (code: string | undefined): string => departmentChip(code, language)
  const whole = codesOf('departments').map(({ code }) => ({ value: `@${code}`, label: `${name(code)} · ${t('supervision.wholeCase')}` }))
  return [...openTasks(item).map((task) => ({ value: task.taskId ?? '', label: name(task.department) })), ...whole]
}
const aboutOf = (about: string): Values => (about.startsWith('@') ? { department: about.slice(1) } : { taskId: about })

export const FIELDS: Record<Verb, OrderField[]> = {
  IssueOrder: [
    field('about', 'choice', { options: subjects, initial: ({ item }) => openTasks(item)[0]?.taskId, aliases: ['taskId', 'department'], wire: (value) => aboutOf(String(value)) }),
    field('demand', 'text'),
    hours('replyMinutes', { hint: 'supervision.field.hoursHint', ...optional }),
  ],
  EscalateCase: [reason],
  ReplyOrder: [
    field('stance', 'choice', { options: (_, { t }) => ReplyStance.slice(1).map((stance) => ({ value: stance, label: t(`supervision.stance.${stance}`) })) }),
    field('text', 'text'),
    field('attachments', 'attachments', optional),
  ],
  AskExtension: [hours('minutes', { label: 'supervision.field.extraHours' }), reason],
  DecideExtension: [field('granted', 'verdict', { yes: 'supervision.granted', no: 'supervision.refused' }), reason],
  AcceptReply: [field('remark', 'text', optional)],
  RefuseReply: [reason],
  WithdrawOrder: [reason],
}

/** Which order, or which case; a case is lifted as it was seen. */
export function givenOf(verb: Verb, { item, order }: Context): Values {
  if (verb === 'IssueOrder') return { caseId: item.caseId }
  return verb === 'EscalateCase' ? { caseId: item.caseId, revision: item.revision } : { orderId: order?.orderId }
}
