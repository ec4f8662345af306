/** What the verbs on one resident ask for. Pure. */
import type { Resident } from '@/generated/contract'
import { mayCall } from '@/api/session'
import { always, type Field } from '@/forms/fields'
import { codesOf } from '@/model/codes'
import { hasLeft } from './register'

export const VERBS = ['AddIdDocument', 'MoveResident', 'RecordDeath', 'VoidResident', 'RestoreResident'] as const
export type Verb = (typeof VERBS)[number]

export interface Context {
  resident: Resident
  /** YYYY-MM-DD. */
  today: string
}

type ResidentField = Field<Context>
const NONE_SHOWN = '999'
const field = (name: string, kind: ResidentField['kind'], label: string, more: Partial<ResidentField> = {}): ResidentField => ({ name, kind, label: `people.form.${label}`, ...more })
const notAhead = (value: unknown, { today }: Context): string => (String(value) > today ? 'reason.IN_THE_FUTURE' : '')

export const FIELDS: Record<Verb, ResidentField[]> = {
  AddIdDocument: [
    field('idDocType', 'choice', 'idDocType', { required: always, options: (_, { language }) => codesOf('idTypes').filter(({ code }) => code !== NONE_SHOWN).map((row) => ({ value: row.code, label: row[language] })) }),
    field('idNumber', 'line', 'idNumber', { required: always, limit: 30 }),
    field('primary', 'switch', 'primary', { initial: () => false }),
  ],
  MoveResident: [
    field('away.toAreaCode', 'line', 'toAreaCode', { hint: 'people.form.toAreaCodeHint', limit: 12, fault: (value) => (/^[1-9]\d{1,11}$/.test(String(value).trim()) ? '' : 'people.fault.area') }),
    field('away.until', 'day', 'until', { required: always, initial: ({ today }) => today }),
    field('away.reason', 'text', 'reason', { limit: 200 }),
  ],
  RecordDeath: [field('diedOn', 'day', 'diedOn', { required: always, fault: notAhead }), field('reason', 'text', 'deathReason', { required: always })],
  VoidResident: [field('reason', 'text', 'voidReason', { required: always })],
  RestoreResident: [],
}

/** What the caller may do with this entry now. */
export function verbsFor(resident: Resident): Verb[] {
  const left = hasLeft(resident)
  const merged = resident.standing?.status === 'RESIDENT_STATUS_MERGED'
  return VERBS.filter((verb) => mayCall(verb) && (verb === 'RestoreResident' ? left && !merged : !left))
}
