import { describe, expect, it, vi } from 'vitest'
import { isLate, isMasked, lightOf, ruleName, sourceText, STATES, taskText, VERBS, verbsOf, WORKING } from '@/event/events'
import { consentsFor, FIELDS, givenOf, REPORT, type ReportContext } from '@/event/forms'
import { en, TASKS_EN, zh } from '@/event/words'
import { faultsIn, fieldOf, missingIn, requestIn, shownFields, type Values } from '@/forms/fields'
import { LifeEventOutcome, LifeEventState, PopulationConsent, type LifeEvent } from '@/generated/contract'

vi.mock('@/i18n', () => ({ i18n: {}, language: { value: 'zh' } }))
vi.mock('@/people/fields/HomeField.vue', () => ({ default: {} }))
vi.mock('@/people/fields/HouseholdField.vue', () => ({ default: {} }))
vi.mock('@/people/fields/PersonField.vue', () => ({ default: {} }))

const WORKER = ['GRID_WORKER']
const GRID = '42050200100310001'
const event = (more: LifeEvent = {}): LifeEvent => ({
  lifeEventId: 'e', revision: '3', rule: 'LE01', state: 'LIFE_EVENT_STATE_OPEN', assigneeRole: 'GRID_WORKER', sources: ['HEALTH', 'GRID'], task: '上门送政策', receivedAt: '2026-11-20T00:00:00Z', dueAt: '2026-11-26T00:00:00Z', ...more,
})
const MASKED = event({ rule: '***', task: '***' })

describe('a life event', () => {
  it('turns yellow in the last third of its time, and red when it is due', () => {
    const lights = ['2026-11-23T23:59:00Z', '2026-11-24T00:00:00Z', '2026-11-26T00:00:00Z'].map((time) => lightOf(event(), Date.parse(time)))
    expect(lights).toEqual(['LIGHT_GREEN', 'LIGHT_YELLOW', 'LIGHT_RED'])
    expect([isLate(event()), isLate(event({ completedAt: '2026-11-26T00:00:01Z' })), isLate(event({ completedAt: '2026-11-25T00:00:00Z' }))]).toEqual([false, true, false])
  })

  it('says its kind, what is to be done and who told it, in the language of the page', () => {
    expect([ruleName(event(), 'zh'), ruleName(event(), 'en'), ruleName(event({ rule: 'LE99' }), 'zh')]).toEqual(['新生儿出生', 'Birth', 'LE99'])
    expect([taskText(event(), 'zh'), taskText(event(), 'en')]).toEqual(['上门送政策', TASKS_EN.LE01])
    expect([sourceText(event({ sources: ['HRSS', 'GRID'] }), zh.source, 'zh'), sourceText(event({ sources: ['SYSTEM'] }), en.source, 'en')]).toEqual(['人力资源和社会保障局、网格', 'Calendar'])
  })

  it('tells neither kind nor task while they are masked', () => {
    expect([isMasked(MASKED), ruleName(MASKED, 'zh'), taskText(MASKED, 'en')]).toEqual([true, '', ''])
    expect(verbsOf(MASKED, WORKER)).toEqual(['CompleteLifeEvent', 'CancelLifeEvent'])
  })

  it('offers what its state and the law allow', () => {
    expect(verbsOf(event(), WORKER)).toEqual([...VERBS])
    expect([verbsOf(event(), ['GRID_LEADER']), verbsOf(event(), ['COMM_CLERK'])]).toEqual([[...VERBS], ['CancelLifeEvent', 'WithdrawLifeEvent']])
    expect(verbsOf(event({ rule: 'LE02' }), WORKER)).toEqual(['CompleteLifeEvent', 'CancelLifeEvent'])
    expect(verbsOf(event({ state: 'LIFE_EVENT_STATE_COMPLETED' }), WORKER)).toEqual(['WithdrawLifeEvent'])
    expect([verbsOf(event({ state: 'LIFE_EVENT_STATE_CANCELLED' }), WORKER), verbsOf(event({ state: 'LIFE_EVENT_STATE_COMPLETED', rule: 'LE02' }), WORKER)]).toEqual([[], []])
  })
})

describe('the forms', () => {
  const context: ReportContext = { areas: [], area: GRID, today: '2026-11-22' }
  const shown = (values: Values): string[] => shownFields(REPORT, values, context).map(({ name }) => name.replace('report.', ''))
  const person = { 'report.rule': 'LE01', 'report.occurredOn': '2026-11-20', 'report.consent': 'CONSENT_GIVEN' }

  it('ask for the outcome and its words, and complete what was seen', () => {
    expect(missingIn(FIELDS.CompleteLifeEvent, {}, null)).toEqual(['outcome', 'result'])
    expect(missingIn(FIELDS.CancelLifeEvent, { reason: ' ' }, null)).toEqual(['reason'])
    expect([givenOf('CompleteLifeEvent', event()), givenOf('CancelLifeEvent', event())]).toEqual([{ lifeEventId: 'e', revision: '3' }, { lifeEventId: 'e' }])
  })

  it('ask for the person, the house or the place a rule is about, and for no more', () => {
    expect(shown(person)).toEqual(['rule', 'outside', 'residentId', 'occurredOn', 'detail', 'ordinal', 'consent'])
    expect(shown({ 'report.rule': 'LE08', 'report.outside': true })).toEqual(['rule', 'outside', 'contactName', 'address', 'areaCode', 'occurredOn', 'detail'])
    expect(shown({ 'report.rule': 'LE02', 'report.outside': true })).toEqual(['rule', 'residentId', 'occurredOn'])
    expect(shown({ 'report.rule': 'LE09' })).toEqual(['rule', 'houseId', 'occurredOn', 'detail', 'consent'])
    expect(shown({ 'report.rule': 'LE10' })).toEqual(['rule', 'uscc', 'address', 'areaCode', 'occurredOn'])
    expect([consentsFor('LE11'), consentsFor('LE02'), consentsFor('LE10')]).toEqual([['CONSENT_GIVEN', 'CONSENT_WRITTEN'], [], []])
  })

  it('send what was entered inside the report', () => {
    expect(requestIn(REPORT, { ...person, 'report.outside': false, 'report.residentId': { residentId: 'r' } }, context)).toEqual({ report: { rule: 'LE01', residentId: 'r', occurredOn: '2026-11-20', consent: 'CONSENT_GIVEN' } })
    const house = { 'report.rule': 'LE09', 'report.houseId': { houseId: 'h', areaCode: GRID, label: '' } }
    expect(requestIn(REPORT, house, context)).toEqual({ report: { rule: 'LE09', houseId: 'h', areaCode: GRID } })
  })

  it('say at the field what is wrong', () => {
    expect(missingIn(REPORT, { ...person, 'report.outside': true, 'report.areaCode': GRID }, context)).toEqual(['report.contactName', 'report.address'])
    expect(faultsIn(REPORT, { 'report.rule': 'LE10', 'report.uscc': '12', 'report.occurredOn': '2026-11-23' }, context)).toEqual({ 'report.uscc': 'lifeEvent.fault.uscc', 'report.occurredOn': 'reason.IN_THE_FUTURE' })
    expect(fieldOf(REPORT, { field: 'occurredOn', message: '' })?.name).toBe('report.occurredOn')
  })
})

describe('words', () => {
  it('name states, outcomes, fields and verbs; English has a task for every rule', () => {
    const at = (words: unknown, path: string): unknown => path.split('.').reduce((part, name) => (part as Record<string, unknown> | undefined)?.[name], words)
    const fields = [...REPORT, ...Object.values(FIELDS).flat()]
    for (const words of [zh, en]) {
      expect(fields.flatMap(({ label, hint }) => [label, hint]).filter((key) => typeof key === 'string' && !at({ lifeEvent: words }, key))).toEqual([])
      expect([Object.keys(words.state), Object.keys(words.outcome), Object.keys(words.consent)]).toEqual([[...LifeEventState], [...LifeEventOutcome], [...PopulationConsent]])
      for (const verb of [...VERBS, 'ReportLifeEvent'] as const) expect(words.verb[verb] && words.hint[verb]).toBeTruthy()
    }
    expect(WORKING.map(({ code }) => code)).toEqual(Object.keys(TASKS_EN))
    expect(STATES[0]).toBe('LIFE_EVENT_STATE_OPEN')
  })
})
