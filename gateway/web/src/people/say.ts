/** How dates of birth are told: in full with the age, or only what a masked one still says. */
import { localOf } from '@/forms/fields'
import { serverNow } from '@/model/now'
import { ageOn, yearOf } from './register'

type Say = (key: string, named?: Record<string, unknown>) => string

/** Today in Asia/Shanghai, YYYY-MM-DD. */
export const todayText = (): string => localOf(serverNow()).slice(0, 10)

export function bornText(birthDate: string | undefined, t: Say): string {
  const age = ageOn(birthDate, todayText())
  if (!Number.isNaN(age)) return `${t('people.age', { n: age })} · ${t('people.born', { date: birthDate })}`
  const year = yearOf(birthDate)
  return year ? t('people.born', { date: year }) : ''
}
