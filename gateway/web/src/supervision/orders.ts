/**
 * What the logged-in person can do with a supervision order now, and what each verb asks for. The service decides in the end (the
 * table of svc-mediation); this keeps away what it would refuse. Roles come from the protos through `mayCall`.
 */
import { mayCall, type Me } from '@/api/session'
import type { Case, CaseState, Light, OrderState, SupervisionOrder } from '@/generated/contract'
import { at, lightOf } from '@/model/lights'

export type OrderVerb = 'ReplyOrder' | 'AskExtension' | 'DecideExtension' | 'AcceptReply' | 'RefuseReply' | 'WithdrawOrder'
export type CaseVerb = 'IssueOrder' | 'EscalateCase'
export type Verb = OrderVerb | CaseVerb

export type FieldKind = 'text' | 'hours' | 'verdict' | 'stance' | 'about' | 'attachments'

export interface Field {
  name: string
  kind: FieldKind
  /** Key under `supervision.field`. */
  label: string
  hint?: string
  optional?: boolean
}

export type Values = Record<string, unknown>

const FROM: Record<OrderVerb, readonly OrderState[]> = {
  ReplyOrder: ['ORDER_STATE_ISSUED', 'ORDER_STATE_EXTENSION_ASKED', 'ORDER_STATE_RETURNED'],
  AskExtension: ['ORDER_STATE_ISSUED'],
  AcceptReply: ['ORDER_STATE_REPLIED'],
  RefuseReply: ['ORDER_STATE_REPLIED'],
  DecideExtension: ['ORDER_STATE_EXTENSION_ASKED'],
  WithdrawOrder: ['ORDER_STATE_ISSUED', 'ORDER_STATE_EXTENSION_ASKED', 'ORDER_STATE_REPLIED', 'ORDER_STATE_RETURNED'],
}
const OF_DEPARTMENT: readonly OrderVerb[] = ['ReplyOrder', 'AskExtension']
const WAITING: readonly OrderState[] = FROM.ReplyOrder

/** States in which a case climbs, and in which somebody answers for it. */
const CLIMBING: readonly CaseState[] = [
  'CASE_STATE_REPORTED', 'CASE_STATE_ACCEPTED', 'CASE_STATE_SELF_HANDLED', 'CASE_STATE_DISPATCHED', 'CASE_STATE_PARALLEL',
  'CASE_STATE_HANDLING', 'CASE_STATE_REWORK',
]
const SUPERVISED: readonly CaseState[] = [...CLIMBING, 'CASE_STATE_SUSPENDED', 'CASE_STATE_HANDLED', 'CASE_STATE_VERIFIED']

export const reason: Field = { name: 'reason', kind: 'text', label: 'reason' }

export const FIELDS: Record<Verb, Field[]> = {
  IssueOrder: [
    { name: 'about', kind: 'about', label: 'about' },
    { name: 'demand', kind: 'text', label: 'demand' },
    { name: 'hours', kind: 'hours', label: 'hours', hint: 'hoursHint', optional: true },
  ],
  EscalateCase: [reason],
  ReplyOrder: [
    { name: 'stance', kind: 'stance', label: 'stance' },
    { name: 'text', kind: 'text', label: 'text' },
    { name: 'attachments', kind: 'attachments', label: 'attachments', optional: true },
  ],
  AskExtension: [{ name: 'hours', kind: 'hours', label: 'extraHours' }, reason],
  DecideExtension: [{ name: 'granted', kind: 'verdict', label: 'granted' }, reason],
  AcceptReply: [{ name: 'remark', kind: 'text', label: 'remark', optional: true }],
  RefuseReply: [reason],
  WithdrawOrder: [reason],
}

export const isWaiting = (order: SupervisionOrder): boolean => !!order.state && WAITING.includes(order.state)
export const isOpen = (order: SupervisionOrder): boolean => !!order.state && FROM.WithdrawOrder.includes(order.state)

/** Verbs of an order for this person: a department replies and asks, everybody else decides. */
export function orderVerbs(order: SupervisionOrder, me: Me): OrderVerb[] {
  const ours = !!me.department && me.department === order.department
  return (Object.keys(FROM) as OrderVerb[]).filter(
    (verb) =>
      order.state && FROM[verb].includes(order.state) && mayCall(verb) && OF_DEPARTMENT.includes(verb) === ours
      && !(verb === 'AskExtension' && order.extension),
  )
}

export const mayIssue = (item: Case): boolean => !!item.state && SUPERVISED.includes(item.state) && mayCall('IssueOrder')
export const mayLift = (item: Case): boolean =>
  !!item.state && CLIMBING.includes(item.state) && mayCall('EscalateCase') && item.level !== 'CASE_LEVEL_L5'

/** The light of an order at `now` (ms): of its clock while a reply is due, of the reply until it is ruled on, then none. */
export function orderLight(order: SupervisionOrder, now: number): Light {
  return isOpen(order) && order.clock ? lightOf(order.clock, now) : 'LIGHT_UNSPECIFIED'
}

/** Open orders first, the most urgent on top; those that are over after them, newest first. */
export function sorted(orders: SupervisionOrder[]): SupervisionOrder[] {
  const due = (order: SupervisionOrder): number => at(order.clock?.dueAt)
  const open = orders.filter(isOpen).toSorted((one, other) => due(one) - due(other))
  const over = orders.filter((order) => !isOpen(order)).toSorted((one, other) => at(other.issuedAt) - at(one.issuedAt))
  return [...open, ...over]
}

/** Fields that still need something. */
export function missing(verb: Verb, values: Values): string[] {
  return FIELDS[verb].filter((field) => !field.optional && isEmpty(values[field.name])).map(({ name }) => name)
}

const isEmpty = (value: unknown): boolean => value === undefined || value === null || (typeof value === 'string' && !value.trim())

/** The request of a verb. What an order is about is either a task's id or a department ("@FIRE": about the case as a whole). */
export function requestOf(verb: Verb, values: Values, item: Case, order: SupervisionOrder | null): Values {
  const { hours, about, ...rest } = values
  const minutes = typeof hours === 'number' ? Math.round(hours * 60) : 0
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined && value !== ''))
  if (verb === 'EscalateCase') return { caseId: item.caseId, revision: item.revision, ...given }
  if (verb === 'IssueOrder') {
    const thing = String(about).startsWith('@') ? { department: String(about).slice(1) } : { taskId: about }
    return { caseId: item.caseId, ...thing, ...given, ...(minutes ? { replyMinutes: minutes } : {}) }
  }
  return { orderId: order?.orderId, ...given, ...(verb === 'AskExtension' ? { minutes } : {}) }
}
