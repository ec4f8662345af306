/** What the steps of care and welfare ask for. Pure. */
import { always, isEmpty, type Field, type Option, type Values } from '@/forms/fields'
import tables from '@/generated/codes.json'
import { AlertCause, PopulationConsent as Consent, type Resident } from '@/generated/contract'
import PersonField from '@/people/fields/PersonField.vue'
import { COMMUNITY, homeAreas, presentHouse } from '@/people/homes'

export type Verb = 'CareRecordVisit' | 'RenewCare' | 'EndCare' | 'EndVisitPlan' | 'TakeStep' | 'RaiseAlert' | 'NoteAbsence' | 'EndWatch'
/** What is begun for a person: chosen in the form, or known from where it was opened. */
export const STARTS = ['EnterCare', 'StartVisitPlan', 'StartWatch'] as const
export type StartVerb = (typeof STARTS)[number]

export interface CareContext {
  /** Whom it is about; null: the form asks. */
  resident: Resident | null
  areas: Option[]
  /** The caller's own area. */
  area: string
}

type CareField<C = null> = Field<C>
const field = <C = null>(name: string, kind: CareField['kind'], more: Partial<CareField<C>> = {}): CareField<C> => ({ name, kind, label: `care.field.${name}`, ...more })

export const FIELDS: Record<Verb, CareField[]> = {
  CareRecordVisit: [
    field('nothingToReport', 'switch', { initial: () => false }),
    field('notes', 'text', { required: (values) => !values.nothingToReport && isEmpty(values.evidence) }),
    field('evidence', 'attachments'),
  ],
  RenewCare: [field('expiresOn', 'day', { required: always })],
  EndCare: [field('withdrawn', 'switch', { initial: () => false }), field('reason', 'text', { required: always })],
  TakeStep: [field('well', 'verdict', { required: always, yes: 'care.wellMark', no: 'care.notWell' }), field('result', 'text', { required: always }), field('evidence', 'attachments')],
  // What the waterworks tell is not raised by hand.
  RaiseAlert: [field('cause', 'choice', { required: always, options: (_, { t }) => AlertCause.slice(2).map((value) => ({ value, label: t(`care.cause.${value}`) })) })],
  NoteAbsence: [field('awayUntil', 'day')],
  EndVisitPlan: [],
  EndWatch: [],
}

/** What each kind of consent of care_category.csv is satisfied by; the law's own entries rest on the law. */
const SUFFICES: Readonly<Record<string, readonly Consent[]>> = {
  consent: ['CONSENT_GIVEN', 'CONSENT_WRITTEN'],
  informed: ['CONSENT_GIVEN', 'CONSENT_WRITTEN', 'CONSENT_INFORMED'],
  statutory: ['CONSENT_STATUTORY', 'CONSENT_GIVEN', 'CONSENT_WRITTEN', 'CONSENT_INFORMED'],
}

/** Kinds of consent a category can rest on; all while none is chosen. */
export function consentsFor(category: unknown): readonly Consent[] {
  const needed = tables.careCategories.find(({ code }) => code === category)?.consent ?? ''
  return SUFFICES[needed] ?? Consent.filter((one) => one !== 'CONSENT_UNSPECIFIED')
}

/** What a rule of visits is about: `care` (the register brings it), `resident` or `area`. */
export const targetOf = (rule: unknown): string => tables.visitRules.find(({ code }) => code === rule)?.target ?? ''

/** The person: asked for where the form does not know whom it is about. */
const person = (more: Partial<CareField<CareContext>> = {}, sent: (one: Resident) => Values = ({ residentId }) => ({ residentId })): CareField<CareContext> =>
  field<CareContext>('residentId', 'own', {
    component: PersonField, required: always, shown: (_, { resident }) => !resident, wire: (value) => sent(value as Resident), ...more,
  })
const home = (one: Resident): Values => ({ residentId: one.residentId, houseId: presentHouse(one) })

export const START_FIELDS: Record<StartVerb, CareField<CareContext>[]> = {
  EnterCare: [
    person(),
    field<CareContext>('category', 'choice', { required: always, options: (_, { language }) => tables.careCategories.map((row) => ({ value: row.code, label: `${row.code} ${row[language]}` })) }),
    field<CareContext>('consent', 'choice', { required: always, hint: 'care.field.consentHint', options: (_, { t }, { category }) => consentsFor(category).map((value) => ({ value, label: t(`care.consent.${value}`) })) }),
    field<CareContext>('basis', 'line', { hint: 'care.field.basisHint' }),
    field<CareContext>('expiresOn', 'day', { hint: 'care.field.expiresHint' }),
  ],
  StartVisitPlan: [
    field<CareContext>('rule', 'choice', {
      required: always, hint: 'care.field.ruleHint',
      options: ({ resident }, { language }) => tables.visitRules.filter(({ target }) => target !== 'care' && (!resident || target === 'resident')).map((row) => ({ value: row.code, label: `${row.code} ${row[language]}` })),
    }),
    person({ shown: ({ rule }, { resident }) => !resident && targetOf(rule) === 'resident' }, ({ residentId, areaCode }) => ({ residentId, areaCode })),
    field<CareContext>('areaCode', 'choice', {
      required: always, label: 'care.field.area', shown: ({ rule }) => targetOf(rule) === 'area',
      options: ({ areas }) => homeAreas(areas), initial: ({ area }) => (area.length >= COMMUNITY ? area : undefined),
    }),
  ],
  StartWatch: [
    person({ aliases: ['houseId'], fault: (value) => (presentHouse(value as Resident) ? '' : 'care.fault.house') }, home),
    field<CareContext>('consent', 'attachments', { label: 'care.field.signed', required: always, hint: 'care.field.signedHint', wire: (value) => ({ consent: (value as unknown[])[0] }), fault: (value) => ((value as unknown[]).length > 1 ? 'care.fault.one' : '') }),
    field<CareContext>('contacts', 'text', { hint: 'care.field.contactsHint' }),
  ],
}

/** What the request says of a person the form was opened for. */
export function startGiven(verb: StartVerb, resident: Resident | null): Values {
  if (!resident) return {}
  if (verb === 'StartWatch') return home(resident)
  return verb === 'StartVisitPlan' ? { residentId: resident.residentId, areaCode: resident.areaCode } : { residentId: resident.residentId }
}

/** What can be begun for a resident: a watch needs a house. */
export const startsFor = (resident: Resident): StartVerb[] => STARTS.filter((verb) => verb !== 'StartWatch' || !!presentHouse(resident))
