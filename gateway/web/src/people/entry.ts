/** What entering a resident asks for. Nothing restricted has a field here; what a document tells is not asked again. Pure. */
import { always, isEmpty, type Field, type FieldKind, type Option, type Values } from '@/forms/fields'
import { Tenure } from '@/generated/contract'
import { codesOf } from '@/model/codes'
import HomeField from './fields/HomeField.vue'
import HouseholdField from './fields/HouseholdField.vue'
import { COMMUNITY, homeAreas, type Home } from './homes'

export interface EntryContext {
  areas: Option[]
  /** The caller's own area. */
  area: string
  /** YYYY-MM-DD. */
  today: string
}

/** Stands for a household that is made with its first member. */
export const NEW_HOUSEHOLD = 'NEW'
/** No document was shown: nobody is turned away for that. */
export const NONE_SHOWN = '999'
/** Documents whose number tells birth date and sex (GB 11643). */
const TELLS_BIRTH = ['111', '112', '830', '831']
/** The head of a household (household_relation.csv). */
export const HEAD = '02'

type EntryField = Field<EntryContext>
const field = (name: string, kind: FieldKind, label: string, more: Partial<EntryField> = {}): EntryField => ({ name: `resident.${name}`, kind, label: `people.entry.${label}`, ...more })
const codes = (table: Parameters<typeof codesOf>[0], but: readonly string[] = []): EntryField['options'] => (_, { language }) => codesOf(table).filter(({ code }) => !but.includes(code)).map((row) => ({ value: row.code, label: row[language] }))
export const tenures: Field['options'] = (_, { t }) => Tenure.slice(1).map((value) => ({ value, label: t(`people.tenure.${value}`) }))
export const notAhead = (value: unknown, { today }: { today: string }): string => (String(value) > today ? 'reason.IN_THE_FUTURE' : '')
const isHome = (value: unknown): boolean => !!(value as Home | undefined)?.houseId
const hasHome = (values: Values): boolean => isHome(values['resident.residence'])
const showsDocument = (values: Values): boolean => !isEmpty(values['resident.idDocType']) && values['resident.idDocType'] !== NONE_SHOWN
const tellsBirth = (values: Values): boolean => TELLS_BIRTH.includes(String(values['resident.idDocType']))

/** What a form says of a chosen house; `at`: the residence in the request. */
export const homeSent = (at: string) => (value: unknown): Values => ({ [`${at}.houseId`]: (value as Home).houseId, [`${at}.areaCode`]: (value as Home).areaCode })

export const ENTRY: EntryField[] = [
  field('name', 'line', 'name', { required: always, half: true, limit: 50 }),
  field('nameLatin', 'line', 'nameLatin', { half: true, limit: 100 }),
  field('idDocType', 'choice', 'idDocType', { required: always, half: true, options: codes('idTypes'), initial: () => '111' }),
  field('idNumber', 'line', 'idNumber', { required: always, half: true, limit: 30, shown: showsDocument, hint: 'people.entry.idNumberHint' }),
  field('birthDate', 'day', 'birthDate', { half: true, shown: (values) => !tellsBirth(values), fault: notAhead }),
  field('sex', 'choice', 'sex', { half: true, shown: (values) => !tellsBirth(values), options: codes('sexes') }),
  field('phone', 'line', 'phone', { half: true, limit: 20 }),
  field('residentType', 'choice', 'residentType', { half: true, options: codes('residentTypes'), hint: 'people.entry.residentTypeHint' }),
  field('residence', 'own', 'home', {
    component: HomeField, hint: 'people.entry.homeHint',
    wire: (value) => (isHome(value) ? { 'resident.areaCode': (value as Home).areaCode, ...homeSent('resident.residence')(value) } : {}),
  }),
  field('areaCode', 'choice', 'areaCode', { required: always, half: true, shown: (values) => !hasHome(values), options: ({ areas }) => homeAreas(areas), initial: ({ area }) => (area.length >= COMMUNITY ? area : undefined) }),
  field('residence.tenure', 'choice', 'tenure', { half: true, shown: hasHome, options: tenures as EntryField['options'] }),
  field('residence.since', 'day', 'since', { half: true, shown: hasHome, initial: ({ today }) => today, fault: notAhead }),
  field('householdId', 'own', 'household', { half: true, component: HouseholdField, shown: hasHome }),
  field('householdRelation', 'choice', 'relation', {
    half: true, options: codes('relations', ['01']), shown: (values) => hasHome(values) && !isEmpty(values['resident.householdId']),
    required: (values) => values['resident.householdId'] !== NEW_HOUSEHOLD, hint: 'people.entry.relationHint',
  }),
  field('registered.areaCode', 'line', 'registered', { half: true, limit: 17, hint: 'people.entry.registeredHint', fault: (value) => (/^[1-9]\d{1,16}$/.test(String(value).trim()) ? '' : 'people.fault.registered') }),
  field('registered.since', 'day', 'registeredSince', { half: true, shown: (values) => !isEmpty(values['resident.registered.areaCode']), fault: notAhead }),
  field('living.alone', 'verdict', 'alone', { half: true, shown: hasHome, yes: 'people.alone', no: 'people.notAlone' }),
]

/** The draft as it is sent: who founds a household is its head, and a registration says that it is one. */
export function draftOf(request: Values, householdId: string): Values {
  const resident = { ...(request.resident as Values) }
  if (householdId) Object.assign(resident, { householdId, householdRelation: resident.householdRelation ?? HEAD })
  if (resident.registered) resident.registered = { ...(resident.registered as Values), kind: 'RESIDENCE_KIND_REGISTERED' }
  return { ...request, resident }
}
