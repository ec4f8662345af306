import { beforeEach, describe, expect, it, vi } from 'vitest'
import { CaseLevel, OrderCause, OrderState, ReplyStance, routes, type Case, type SupervisionOrder } from '@/generated/contract'
import { missingIn, requestIn, type Values } from '@/forms/fields'
import { FIELDS, givenOf } from '@/supervision/forms'
import { mayIssue, mayLift, orderLight, orderVerbs, sorted, type Verb } from '@/supervision/orders'
import { en, reasonsEn, reasonsZh, zh } from '@/supervision/words'

const may = vi.hoisted(() => ({ call: (_: string): boolean => true }))
vi.mock('@/i18n', () => ({}))
vi.mock('@/api/session', () => ({ mayCall: (rpc: string) => may.call(rpc) }))

const me = { sub: 'x', name: '', roles: [], area: '4205', department: '' }
const fire = { ...me, department: 'FIRE' }
const NOW = Date.parse('2026-11-16T02:00:00Z')
const order = (fields: Partial<SupervisionOrder> = {}): SupervisionOrder => ({
  orderId: 'o', department: 'FIRE', state: 'ORDER_STATE_ISSUED', issuedAt: '2026-11-16T01:00:00Z',
  clock: { yellowAt: '2026-11-16T03:00:00Z', dueAt: '2026-11-16T04:00:00Z' }, ...fields,
})
const item: Case = { caseId: 'c', revision: '7', state: 'CASE_STATE_PARALLEL', level: 'CASE_LEVEL_L2', tasks: [] }

beforeEach(() => (may.call = () => true))

describe('what somebody may do with an order', () => {
  it('follows its state and whose it is', () => {
    expect(orderVerbs(order(), fire)).toEqual(['ReplyOrder', 'AskExtension'])
    expect(orderVerbs(order(), me)).toEqual(['WithdrawOrder'])
    expect(orderVerbs(order({ state: 'ORDER_STATE_REPLIED' }), me)).toEqual(['AcceptReply', 'RefuseReply', 'WithdrawOrder'])
    expect(orderVerbs(order({ state: 'ORDER_STATE_REPLIED' }), fire)).toEqual([])
    expect(orderVerbs(order({ state: 'ORDER_STATE_EXTENSION_ASKED' }), me)).toEqual(['DecideExtension', 'WithdrawOrder'])
    expect(orderVerbs(order({ state: 'ORDER_STATE_ACCEPTED' }), me)).toEqual([])
  })

  it('offers an extension once, and nothing the roles do not allow', () => {
    expect(orderVerbs(order({ extension: { minutes: 60 } }), fire)).toEqual(['ReplyOrder'])
    may.call = (rpc) => rpc !== 'WithdrawOrder'
    expect(orderVerbs(order(), me)).toEqual([])
  })

  it('ends with the case and at the top of the ladder', () => {
    expect([mayIssue(item), mayLift(item)]).toEqual([true, true])
    expect([mayIssue({ ...item, state: 'CASE_STATE_CLOSED' }), mayLift({ ...item, state: 'CASE_STATE_CLOSED' })]).toEqual([false, false])
    expect(mayLift({ ...item, level: 'CASE_LEVEL_L5' })).toBe(false)
    expect([mayIssue({ ...item, state: 'CASE_STATE_HANDLED' }), mayLift({ ...item, state: 'CASE_STATE_HANDLED' })]).toEqual([true, false])
  })
})

describe('orders', () => {
  it('show the light of the moment, and none when they are over', () => {
    expect(orderLight(order(), NOW)).toBe('LIGHT_GREEN')
    expect(orderLight(order(), NOW + 3_600_000)).toBe('LIGHT_YELLOW')
    expect(orderLight(order(), NOW + 7_200_000)).toBe('LIGHT_RED')
    expect(orderLight(order({ state: 'ORDER_STATE_ACCEPTED' }), NOW + 7_200_000)).toBe('LIGHT_UNSPECIFIED')
  })

  it('stand with the most urgent on top and those that are over below', () => {
    const later = order({ orderId: 'later', clock: { dueAt: '2026-11-17T04:00:00Z' } })
    const done = order({ orderId: 'done', state: 'ORDER_STATE_ACCEPTED' })
    expect(sorted([done, later, order()]).map((one) => one.orderId)).toEqual(['o', 'later', 'done'])
  })
})

describe('requests', () => {
  const requestOf = (verb: Verb, values: Values, about: SupervisionOrder | null): Values => {
    const context = { item, order: about }
    return { ...givenOf(verb, context), ...requestIn(FIELDS[verb], values, context) }
  }
  const missing = (verb: Verb, values: Values): string[] => missingIn(FIELDS[verb], values, { item, order: order() })

  it('name a task, or a department for the case as a whole', () => {
    expect(requestOf('IssueOrder', { about: 't1', demand: 'x', hours: 7.5 }, null)).toEqual({ caseId: 'c', taskId: 't1', demand: 'x', replyMinutes: 450 })
    expect(requestOf('IssueOrder', { about: '@FIRE', demand: 'x' }, null)).toEqual({ caseId: 'c', department: 'FIRE', demand: 'x' })
  })

  it('begin with the first task that is open', () => {
    const tasks: Case['tasks'] = [{ taskId: 'done', state: 'TASK_STATE_DONE' }, { taskId: 'open', state: 'TASK_STATE_ACCEPTED', department: 'FIRE' }]
    const context = { item: { ...item, tasks }, order: null }
    const words = { t: (key: string) => key, language: 'zh' as const }
    expect(FIELDS.IssueOrder[0]?.initial?.(context, words)).toBe('open')
    expect(FIELDS.IssueOrder[0]?.options?.(context, words, {}).slice(0, 1).map(({ value }) => value)).toEqual(['open'])
  })

  it('carry hours as minutes and the revision where it counts', () => {
    expect(requestOf('AskExtension', { hours: 1.5, reason: 'x' }, order())).toEqual({ orderId: 'o', minutes: 90, reason: 'x' })
    expect(requestOf('EscalateCase', { reason: 'x' }, null)).toEqual({ caseId: 'c', revision: '7', reason: 'x' })
    expect(requestOf('DecideExtension', { granted: false, reason: 'x' }, order())).toEqual({ orderId: 'o', granted: false, reason: 'x' })
  })

  it('are sent only when nothing is missing', () => {
    expect(missing('ReplyOrder', { text: ' ' })).toEqual(['stance', 'text'])
    expect(missing('DecideExtension', { granted: false, reason: 'x' })).toEqual([])
    expect(missing('AcceptReply', {})).toEqual([])
  })
})

describe('words', () => {
  it('name every level, state, cause, stance, verb and reason in both languages', () => {
    for (const words of [zh, en]) {
      expect(Object.keys(words.level)).toEqual([...CaseLevel])
      expect(Object.keys(words.state)).toEqual([...OrderState])
      expect(Object.keys(words.cause)).toEqual([...OrderCause])
      expect(Object.keys(words.stance)).toEqual([...ReplyStance])
      for (const verb of Object.keys(FIELDS) as Verb[]) {
        expect(words.action[verb]).toBeTruthy()
        expect(words.hint[verb]).toBeTruthy()
        expect(routes[verb].method).toBe('POST')
        for (const field of FIELDS[verb]) expect(words.field[field.label.replace('supervision.field.', '') as keyof typeof words.field]).toBeTruthy()
      }
    }
    expect(Object.keys(reasonsEn)).toEqual(Object.keys(reasonsZh))
  })
})
