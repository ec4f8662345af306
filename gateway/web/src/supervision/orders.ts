/**
 * What the logged-in person can do with a supervision order now. The service decides in the end (the table of svc-mediation); this
 * keeps away what it would refuse. Roles come from the protos through `mayCall`.
 */
import { mayCall, type Me } from '@/api/session'
import type { Case, CaseState, Light, OrderState, SupervisionOrder } from '@/generated/contract'
import { at, lightOf } from '@/model/lights'

export type OrderVerb = 'ReplyOrder' | 'AskExtension' | 'DecideExtension' | 'AcceptReply' | 'RefuseReply' | 'WithdrawOrder'
export type CaseVerb = 'IssueOrder' | 'EscalateCase'
export type Verb = OrderVerb | CaseVerb

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
