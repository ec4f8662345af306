/** What the verbs on one resident ask for. Pure. */
import type { Resident, Rpcs } from '@/generated/contract'
import { mayCall } from '@/api/session'
import { always, type Field, type Values } from '@/forms/fields'
import { codesOf } from '@/model/codes'
import { homeSent, NEW_HOUSEHOLD, NONE_SHOWN, notAhead, tenures } from './entry'
import HomeField from './fields/HomeField.vue'
import HouseholdField from './fields/HouseholdField.vue'
import { presentHouse } from './homes'
import { hasLeft, statusOf } from './register'

export const VERBS = ['AddIdDocument', 'UpdateResident', 'MoveResident', 'StartResidence', 'RecordDeath', 'VoidResident', 'MoveIn', 'RestoreResident'] as const
export type Verb = (typeof VERBS)[number]

/** What a verb calls: who comes back moves, to a home. */
export const RPC = {
  AddIdDocument: 'AddIdDocument', UpdateResident: 'UpdateResident', MoveResident: 'MoveResident', StartResidence: 'StartResidence', RecordDeath: 'RecordDeath', VoidResident: 'VoidResident', MoveIn: 'MoveResident', RestoreResident: 'RestoreResident',
} as const satisfies Record<Verb, keyof Rpcs>
/** Verbs on people who left; all others are for those who are here. */
const FOR_GONE: readonly Verb[] = ['MoveIn', 'RestoreResident']

export interface Context {
  resident: Resident
  /** Area of the resident, where a new home is looked for first. */
  area: string
  /** House the person lives in now; '' if none is known. */
  house: string
  /** YYYY-MM-DD. */
  today: string
}

type ResidentField = Field<Context>
const field = (name: string, kind: ResidentField['kind'], label: string, more: Partial<ResidentField> = {}): ResidentField => ({ name, kind, label: `people.form.${label}`, ...more })
const areaFault = (digits: number) => (value: unknown): string => (new RegExp(`^[1-9]\\d{1,${digits - 1}}$`).test(String(value).trim()) ? '' : `people.fault.${digits === 12 ? 'area' : 'registered'}`)
const choices = (name: string, label: string, values: readonly string[], prefix: string): ResidentField => field(name, 'choice', label, { required: always, wire: () => ({}), initial: () => values[0], options: (_, { t }) => values.map((value) => ({ value, label: t(`people.form.${prefix}.${value}`) })) })
const isWay = (way: string) => (values: Record<string, unknown>): boolean => values.way === way
const isKind = (kind: string) => (values: Record<string, unknown>): boolean => values.kind === kind

export const FIELDS: Record<Verb, ResidentField[]> = {
  AddIdDocument: [
    field('idDocType', 'choice', 'idDocType', { required: always, options: (_, { language }) => codesOf('idTypes').filter(({ code }) => code !== NONE_SHOWN).map((row) => ({ value: row.code, label: row[language] })) }),
    field('idNumber', 'line', 'idNumber', { required: always, limit: 30 }),
    field('primary', 'switch', 'primary', { initial: () => false }),
  ],
  UpdateResident: [
    field('householdId', 'own', 'household', { required: always, component: HouseholdField, hint: 'people.form.householdHint' }),
    field('householdRelation', 'choice', 'relation', { required: always, shown: ({ householdId }) => !!householdId && householdId !== NEW_HOUSEHOLD, options: (_, { language }) => codesOf('relations').filter(({ code }) => code !== '01').map((row) => ({ value: row.code, label: row[language] })) }),
  ],
  MoveResident: [
    choices('way', 'way', ['within', 'out'], 'ways'),
    field('home', 'own', 'home', { required: always, shown: isWay('within'), component: HomeField, wire: homeSent('home') }),
    field('home.tenure', 'choice', 'tenure', { shown: isWay('within'), options: tenures as ResidentField['options'] }),
    field('home.since', 'day', 'movedOn', { required: always, shown: isWay('within'), initial: ({ today }) => today, fault: notAhead }),
    field('away.toAreaCode', 'line', 'toAreaCode', { shown: isWay('out'), hint: 'people.form.toAreaCodeHint', limit: 12, fault: areaFault(12) }),
    field('away.until', 'day', 'until', { required: always, shown: isWay('out'), initial: ({ today }) => today, fault: notAhead }),
    field('away.reason', 'text', 'reason', { shown: isWay('out'), limit: 200 }),
  ],
  MoveIn: [
    field('home', 'own', 'home', { required: always, component: HomeField, wire: homeSent('home') }),
    field('home.tenure', 'choice', 'tenure', { options: tenures as ResidentField['options'] }),
    field('home.since', 'day', 'movedIn', { required: always, initial: ({ today }) => today, fault: (value, context) => (notAhead(value, context) || (String(value) < (context.resident.standing?.since ?? '') ? 'reason.BEFORE_LEAVING' : '')) }),
  ],
  StartResidence: [
    choices('kind', 'residenceKind', ['actual', 'registered'], 'kinds'),
    field('residence', 'own', 'home', { required: always, shown: isKind('actual'), component: HomeField, wire: (value) => ({ ...homeSent('residence')(value), 'residence.kind': 'RESIDENCE_KIND_ACTUAL' }) }),
    field('residence.tenure', 'choice', 'tenure', { shown: isKind('actual'), options: tenures as ResidentField['options'] }),
    field('residence.areaCode', 'line', 'registeredArea', { required: always, shown: isKind('registered'), limit: 17, hint: 'people.entry.registeredHint', fault: areaFault(17), wire: (value) => ({ 'residence.areaCode': String(value).trim(), 'residence.kind': 'RESIDENCE_KIND_REGISTERED' }) }),
    field('residence.since', 'day', 'since', { required: always, initial: ({ today }) => today, fault: notAhead }),
  ],
  RecordDeath: [field('diedOn', 'day', 'diedOn', { required: always, fault: notAhead }), field('reason', 'text', 'deathReason', { required: always })],
  VoidResident: [field('reason', 'text', 'voidReason', { required: always })],
  RestoreResident: [],
}

/** A person joins a household. The relation to its head is a collected field: it is submitted, and held against what others say. */
export const joinOf = ({ householdRelation: _, ...request }: Values, householdId: string): Values => ({ ...request, householdId, updateMask: 'householdId' })

/** What the caller may do with this entry now. */
export function verbsFor(resident: Resident): Verb[] {
  const status = statusOf(resident)
  const needs: Partial<Record<Verb, boolean>> = { UpdateResident: !!presentHouse(resident), MoveIn: status === 'RESIDENT_STATUS_MOVED_OUT', RestoreResident: status !== 'RESIDENT_STATUS_MERGED' }
  return VERBS.filter((verb) => mayCall(RPC[verb]) && FOR_GONE.includes(verb) === hasLeft(resident) && (needs[verb] ?? true))
}
