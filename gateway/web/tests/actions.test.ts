import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Case, Task } from '@/generated/contract'
import { caseActions, mayOpenDispute, mostMinutes, taskActions } from '@/case/actions'
import { FIELDS } from '@/case/forms'
import { entryFields, mayWrite } from '@/case/workspace'
import { missingIn } from '@/forms/fields'
import en from '@/i18n/en'
import zh from '@/i18n/zh'

const may = vi.hoisted(() => ({ call: (_: string): boolean => true }))
vi.mock('@/i18n', () => ({ language: { value: 'zh' } }))
vi.mock('@/api/session', () => ({ mayCall: (rpc: string) => may.call(rpc), currentUser: { value: null } }))

const NOW = Date.parse('2026-11-16T02:00:00Z')
const me = { sub: 'zhang', name: '', roles: ['DISPATCHER'], area: '4205', department: '' }
const umd = { ...me, sub: 'umd', roles: ['DEPT_HANDLER', 'DEPT_LEAD'], department: 'UMD' }
const clock = { kind: 'CLOCK_KIND_RESOLVE', calendar: 'CALENDAR_WORK', dueAt: '2026-11-18T02:00:00Z', limitMinutes: 900 } as const
const lead: Task = { taskId: 'l', department: 'UMD', role: 'TASK_ROLE_LEAD', state: 'TASK_STATE_ACCEPTED', clocks: [clock] }
const joint: Task = { taskId: 'j', department: 'JUST', role: 'TASK_ROLE_JOINT', state: 'TASK_STATE_ASSIGNED' }
const item: Case = { caseId: 'c', state: 'CASE_STATE_PARALLEL', category: 'A0204', tasks: [lead, joint], reporter: { subject: 'li' } }
const at = (state: Case['state'], more: Partial<Case> = {}): Case => ({ ...item, state, ...more })

beforeEach(() => (may.call = () => true))

describe('what is offered on a case', () => {
  it('begins with what is usually next', () => {
    expect(caseActions(at('CASE_STATE_REPORTED'), me)).toEqual(['DispatchCase', 'AcceptCase', 'RejectCase', 'SendBackCase', 'MergeCase'])
    expect(caseActions(at('CASE_STATE_MERGED'), me)).toEqual(['UnmergeCase'])
    expect(caseActions(at('CASE_STATE_SUSPENDED'), me)).toEqual(['ResumeCase'])
  })

  it('leaves to reporters what is theirs', () => {
    expect(caseActions(at('CASE_STATE_RETURNED'), me)).toEqual(['RejectCase'])
    expect(caseActions(at('CASE_STATE_RETURNED'), { ...me, sub: 'li' })).toEqual(['ResubmitCase', 'RejectCase'])
    expect(caseActions(at('CASE_STATE_CLOSED'), me)).toEqual([])
    expect(caseActions(at('CASE_STATE_CLOSED'), { ...me, sub: 'li' })).toEqual(['EvaluateCase'])
  })

  it('keeps handlers from checking and closing', () => {
    const handlers = ['zhang']
    expect([caseActions(at('CASE_STATE_HANDLED', { handlers }), me), caseActions(at('CASE_STATE_VERIFIED', { handlers }), me)]).toEqual([[], []])
    expect(caseActions(at('CASE_STATE_HANDLED'), me)).toEqual(['VerifyCase'])
  })

  it('offers once what may be done once', () => {
    expect(caseActions(item, me)).toEqual(['AddTasks', 'ChangeLead', 'SuspendCase'])
    expect(caseActions(at('CASE_STATE_PARALLEL', { suspension: { by: 'x' }, leadChanges: 1 }), me)).toEqual(['AddTasks'])
    const rated = (rating: number, reopenings = 0): Case => at('CASE_STATE_EVALUATED', { evaluation: { rating }, reopenings })
    expect([rated(2), rated(3), rated(0), rated(1, 1)].map((one) => caseActions(one, me).length)).toEqual([1, 0, 0, 0])
  })

  it('lets the lead department or a mediator hand a case over', () => {
    may.call = (rpc) => rpc === 'TransferCase'
    expect(caseActions(item, umd)).toEqual(['TransferCase'])
    expect(caseActions(item, { ...umd, department: 'JUST' })).toEqual([])
    expect(caseActions(item, { ...me, roles: ['GRID_MEDIATOR'] })).toEqual(['TransferCase'])
  })

  it('offers mediation of disputes that somebody works on, never of violence at home', () => {
    expect([mayOpenDispute(item), mayOpenDispute(at('CASE_STATE_CLOSED')), mayOpenDispute({ ...item, category: 'A0105' }), mayOpenDispute({ ...item, category: 'D0102' })]).toEqual([true, false, false, false])
  })
})

describe('what is offered on a task', () => {
  it('gives departments their own, the lead proposals, coordinators rulings', () => {
    expect(taskActions(item, lead, umd, NOW)).toContain('RequestExtension')
    expect(taskActions(item, joint, umd, NOW)).toEqual(expect.arrayContaining(['ProposeExemption']))
    expect(taskActions(item, joint, umd, NOW)).not.toContain('AcceptTask')
    expect(taskActions(item, joint, me, NOW)).toEqual(['RemoveTask'])
    expect(taskActions(item, { ...joint, exemption: { by: 'umd' } }, me, NOW)).toEqual(['RuleExemption', 'RemoveTask'])
    expect(taskActions(item, { ...joint, extension: { by: 'zhang' } }, me, NOW)).toEqual(['RemoveTask'])
    expect(taskActions(at('CASE_STATE_CLOSED'), joint, me, NOW)).toEqual([])
  })

  it('asks for at most half of a limit that runs and is not statutory', () => {
    expect(mostMinutes(lead, NOW)).toBe(450)
    expect(mostMinutes(lead, Date.parse(clock.dueAt))).toBe(0)
    expect(mostMinutes({ ...lead, clocks: [{ ...clock, calendar: 'CALENDAR_STATUTORY' }] }, NOW)).toBe(0)
  })
})

describe('the forms', () => {
  const context = { item, task: null, now: NOW }

  it('ask a returned report for one new thing at least', () => {
    expect(missingIn(FIELDS.ResubmitCase, {}, context)).toEqual(['remark'])
    expect(missingIn(FIELDS.ResubmitCase, { address: '12号' }, context)).toEqual([])
  })

  it('ask a failed check for the tasks, where there are any', () => {
    expect(missingIn(FIELDS.VerifyCase, { passed: false, text: 'x' }, context)).toEqual(['failedTaskIds'])
    expect(missingIn(FIELDS.VerifyCase, { passed: false, text: 'x' }, { ...context, item: { ...item, tasks: [] } })).toEqual([])
  })

  it('have words for every action, hint and field', () => {
    for (const { action } of [zh, en]) {
      const words = action as unknown as Record<string, unknown> & { hint: Record<string, string> }
      expect(Object.keys(FIELDS).filter((name) => !words[name] || !words.hint[name])).toEqual([])
    }
  })
})

describe('the workspace', () => {
  it('is written by those who work on the case, as long as somebody does', () => {
    expect([mayWrite(item, me), mayWrite(item, umd), mayWrite(item, { ...umd, department: 'FIRE' }), mayWrite(at('CASE_STATE_CLOSED'), me)]).toEqual([true, true, false, false])
  })

  it('offers "my department" to those who have one', () => {
    const visibility = entryFields.find(({ name }) => name === 'visibility')
    const values = (who: typeof me): string[] => (visibility?.options?.(who, { t: (key) => key, language: 'zh' }, {}) ?? []).map(({ value }) => value)
    expect([values(me).length, values(umd).length]).toEqual([3, 4])
  })
})
