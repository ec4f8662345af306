/** What the verbs on a household ask for. Pure. */
import { always, type Field } from '@/forms/fields'
import type { Household, Resident } from '@/generated/contract'
import { codeName } from '@/model/codes'
import { HEAD, homeSent, notAhead, tenures } from './entry'
import HomeField from './fields/HomeField.vue'
import RelationsField from './fields/RelationsField.vue'

export interface HouseholdContext {
  household: Household
  members: readonly Resident[]
  area: string
  /** YYYY-MM-DD. */
  today: string
}

export const HOUSEHOLD_VERBS = ['SetHouseholdHead', 'MoveHousehold'] as const
export type HouseholdVerb = (typeof HOUSEHOLD_VERBS)[number]
type HouseholdField = Field<HouseholdContext>

const field = (name: string, kind: HouseholdField['kind'], label: string, more: Partial<HouseholdField> = {}): HouseholdField => ({ name, kind, label: `people.household.${label}`, ...more })

/** The head now; '' if none is known. */
export const headOf = ({ household, members }: Pick<HouseholdContext, 'household' | 'members'>): string => household.headId || members.find((one) => one.householdRelation === HEAD)?.residentId || ''

export const HOUSEHOLD_FIELDS: Record<HouseholdVerb, HouseholdField[]> = {
  SetHouseholdHead: [
    field('headId', 'choice', 'head', {
      required: always,
      options: (context, { language }) =>
        context.members.filter(({ residentId }) => residentId !== headOf(context)).map((one) => ({ value: one.residentId ?? '', label: [one.name || one.nameLatin || '—', codeName('relations', one.householdRelation, language)].filter(Boolean).join(' · ') })),
    }),
    field('relations', 'own', 'relations', {
      component: RelationsField, hint: 'people.household.relationsHint', shown: (values, { members }) => !!values.headId && members.length > 1,
      initial: () => ({}), wire: (value) => (Object.keys(value as object).length ? { relations: value } : {}),
    }),
  ],
  MoveHousehold: [
    field('home', 'own', 'home', { required: always, component: HomeField, wire: homeSent('home') }),
    field('home.tenure', 'choice', 'tenure', { options: tenures as HouseholdField['options'] }),
    field('home.since', 'day', 'since', { required: always, initial: ({ today }) => today, fault: notAhead }),
  ],
}
