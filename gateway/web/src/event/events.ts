/** What a life event says about its work: its rule, its light, who told it, what can be done. Pure. */
import tables from '@/generated/codes.json'
import { LifeEventState, type LifeEvent, type Light } from '@/generated/contract'
import type { Language } from '@/i18n'
import { codeName } from '@/model/codes'
import { at } from '@/model/lights'
import { TASKS_EN } from './words'

export const VERBS = ['CompleteLifeEvent', 'CancelLifeEvent', 'WithdrawLifeEvent'] as const
export type Verb = (typeof VERBS)[number]

/** The part of its time that is yellow: the last third. */
const YELLOW = 1 / 3

/** States to choose from. */
export const STATES = LifeEventState.slice(1)

/** The row of life_event_rule.csv; undefined of rules that are masked or newer. */
export const ruleOf = (code: unknown) => tables.lifeEventRules.find((one) => one.code === code)

/** Rules work is made of: statistics make no list of people. */
export const WORKING = tables.lifeEventRules.filter(({ consent }) => consent !== 'statistics')

/** Rule and task tell of somebody's life: without a purpose they come masked. */
export const isMasked = (event: LifeEvent): boolean => !!event.rule?.includes('*')

/** Its kind in words; '' while masked, the code itself of a newer rule. */
export const ruleName = (event: LifeEvent, language: Language): string => (isMasked(event) ? '' : codeName('lifeEventRules', event.rule, language))

/** What is to be done, in the language of the page if there are words for it; '' while masked. */
export function taskText(event: LifeEvent, language: Language): string {
  if (isMasked(event)) return ''
  return (language === 'en' && TASKS_EN[event.rule ?? '']) || event.task || ''
}

/** Light of open work; `now` in ms. */
export function lightOf(event: LifeEvent, now: number): Light {
  const [due, begun] = [at(event.dueAt), at(event.receivedAt)]
  if (now >= due) return 'LIGHT_RED'
  return now >= due - (due - begun) * YELLOW ? 'LIGHT_YELLOW' : 'LIGHT_GREEN'
}

/** Whether it was done after it was due. */
export const isLate = (event: LifeEvent): boolean => at(event.completedAt) > at(event.dueAt)

/** Who told it: departments by name, the grid and the calendar by `words`. */
export const sourceText = (event: LifeEvent, words: Readonly<Record<string, string>>, language: Language): string =>
  (event.sources ?? []).map((one) => words[one] ?? codeName('departments', one, language)).join(language === 'zh' ? '、' : ', ')

/** Roles that do the work of the role a rule names: who leads the grid, and its social worker for its worker. */
const LEADERS = ['GRID_LEADER', 'GRID_SUPERVISOR']
const STANDS_IN: Readonly<Record<string, string>> = { GRID_WORKER: 'GRID_SOCIAL' }
const isTheirs = ({ assigneeRole = '' }: LifeEvent, roles: readonly string[]): boolean => roles.some((role) => role === assigneeRole || role === STANDS_IN[assigneeRole] || LEADERS.includes(role))

/** What its state and rule allow to somebody with these roles: what a law asks for is not withdrawn, nor what one does not see. */
export function verbsOf(event: LifeEvent, roles: readonly string[]): Verb[] {
  const withdraws: Verb[] = isMasked(event) || ruleOf(event.rule)?.consent === 'statutory' ? [] : ['WithdrawLifeEvent']
  if (event.state === 'LIFE_EVENT_STATE_OPEN') return [...(isTheirs(event, roles) ? ['CompleteLifeEvent' as const] : []), 'CancelLifeEvent', ...withdraws]
  return event.state === 'LIFE_EVENT_STATE_COMPLETED' ? withdraws : []
}
