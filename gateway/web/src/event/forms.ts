/** What reporting, completing and cancelling life events ask for. Pure. */
import { always, type Field, type FieldKind, type Option, type Values } from '@/forms/fields'
import { LifeEventOutcome, type LifeEvent, type PopulationConsent as Consent, type Resident } from '@/generated/contract'
import { notAhead } from '@/people/entry'
import HomeField from '@/people/fields/HomeField.vue'
import PersonField from '@/people/fields/PersonField.vue'
import { COMMUNITY, homeAreas, type Home } from '@/people/homes'
import { ruleOf, WORKING, type Verb } from './events'

export interface ReportContext {
  areas: Option[]
  /** The caller's own area. */
  area: string
  /** YYYY-MM-DD. */
  today: string
}

const field = <C>(name: string, kind: FieldKind, label: string, more: Partial<Field<C>> = {}): Field<C> => ({ name, kind, label: `lifeEvent.field.${label}`, ...more })

export const FIELDS: Record<Verb, Field<null>[]> = {
  CompleteLifeEvent: [
    field('outcome', 'choice', 'outcome', { required: always, options: (_, { t }) => LifeEventOutcome.slice(1).map((value) => ({ value, label: t(`lifeEvent.outcome.${value}`) })) }),
    field('result', 'text', 'result', { required: always, hint: 'lifeEvent.field.resultHint' }),
    field('evidence', 'attachments', 'evidence'),
  ],
  CancelLifeEvent: [field('reason', 'text', 'reason', { required: always })],
  WithdrawLifeEvent: [],
}

/** What the request says of the event; completing says what was seen of it, so that nobody's change is missed. */
export const givenOf = (verb: Verb, { lifeEventId, revision }: LifeEvent): Values => ({ lifeEventId, ...(verb === 'CompleteLifeEvent' ? { revision } : {}) })

/** What each kind of consent of life_event_rule.csv is satisfied by; the law and public registers ask nobody. */
const SUFFICES: Readonly<Record<string, readonly Consent[]>> = {
  consent: ['CONSENT_GIVEN', 'CONSENT_WRITTEN'],
  written: ['CONSENT_WRITTEN'],
  informed: ['CONSENT_INFORMED', 'CONSENT_GIVEN', 'CONSENT_WRITTEN'],
}

/** Kinds of consent a rule can rest on; none where it needs none. */
export const consentsFor = (rule: unknown): readonly Consent[] => SUFFICES[ruleOf(rule)?.consent ?? ''] ?? []

const subject = (values: Values): string => ruleOf(values['report.rule'])?.subject ?? ''
/** Whether a rule is told with a field: no more than its work needs. */
const takes = (values: Values, name: string): boolean => !!ruleOf(values['report.rule'])?.fields.includes(name)
/** Somebody who is in no register is named by name and address, where the rule takes them. */
const mayBeOutside = (values: Values): boolean => subject(values) === 'person' && takes(values, 'contact_name') && takes(values, 'address')
const isOutside = (values: Values): boolean => mayBeOutside(values) && !!values['report.outside']
const USCC = /^[0-9A-HJ-NPQRTUWXY]{18}$/
const report = (name: string, kind: FieldKind, label: string, more: Partial<Field<ReportContext>> = {}): Field<ReportContext> => field(`report.${name}`, kind, label, more)

export const REPORT: Field<ReportContext>[] = [
  report('rule', 'choice', 'rule', { required: always, options: (_, { language }) => WORKING.map((row) => ({ value: row.code, label: `${row.code} ${row[language]}` })) }),
  report('outside', 'switch', 'outside', { initial: () => false, shown: mayBeOutside, wire: () => ({}) }),
  report('residentId', 'own', 'resident', {
    component: PersonField, required: always, hint: 'lifeEvent.field.residentHint', shown: (values) => subject(values) === 'person' && !isOutside(values),
    wire: (value) => ({ 'report.residentId': (value as Resident).residentId }),
  }),
  report('contactName', 'line', 'contactName', { required: always, limit: 50, shown: isOutside }),
  report('houseId', 'own', 'house', {
    component: HomeField, required: always, shown: (values) => subject(values) === 'house',
    wire: (value) => ({ 'report.houseId': (value as Home).houseId, 'report.areaCode': (value as Home).areaCode }),
  }),
  report('uscc', 'line', 'uscc', { required: always, limit: 18, shown: (values) => subject(values) === 'place', fault: (value) => (USCC.test(String(value).trim()) ? '' : 'lifeEvent.fault.uscc') }),
  report('address', 'line', 'address', { required: isOutside, limit: 200, shown: (values) => isOutside(values) || subject(values) === 'place' }),
  report('areaCode', 'choice', 'area', {
    required: always, shown: (values) => isOutside(values) || subject(values) === 'place',
    options: ({ areas }) => homeAreas(areas), initial: ({ area }) => (area.length >= COMMUNITY ? area : undefined),
  }),
  report('occurredOn', 'day', 'occurredOn', { required: always, initial: ({ today }) => today, fault: notAhead }),
  report('detail', 'line', 'detail', { limit: 60, hint: 'lifeEvent.field.detailHint', shown: (values) => takes(values, 'detail') }),
  report('ordinal', 'number', 'ordinal', { shown: (values) => takes(values, 'ordinal'), number: () => ({ min: 1, max: 9, step: 1 }) }),
  report('consent', 'choice', 'consent', {
    required: always, shown: (values) => consentsFor(values['report.rule']).length > 0,
    options: (_, { t }, values) => consentsFor(values['report.rule']).map((value) => ({ value, label: t(`lifeEvent.consent.${value}`) })),
  }),
]
