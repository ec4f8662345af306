/** What entering and changing a committee asks for. Pure. */
import type { Me } from '@/api/session'
import { always, type Field, type Option } from '@/forms/fields'
import { CommitteeKind, type MediationCommittee } from '@/generated/contract'
import PeopleRows from './PeopleRows.vue'
import { faultOfMediators, faultOfMembers, type Person } from './register'

export interface Context {
  /** The committee that changes; null: a new one. */
  committee: MediationCommittee | null
  me: Me
  /** Areas that can be chosen. */
  areas: Option[]
}

type CommitteeField = Field<Context>
const field = (name: keyof MediationCommittee, kind: CommitteeField['kind'], more: Partial<CommitteeField> = {}): CommitteeField => ({
  name: `committee.${name}`, kind, label: `committee.field.${name}`, required: always, initial: ({ committee }) => committee?.[name], ...more,
})
const matches = (pattern: RegExp, fault: string) => (value: unknown): string => (pattern.test(String(value).trim()) ? '' : fault)

const trimmed = (value: unknown): Person[] => (value as Person[]).map((one) => ({ ...one, name: one.name?.trim(), subject: one.subject?.trim() }))

const NEW_MEMBERS: readonly Person[] = [{ post: 'COMMITTEE_POST_CHAIR' }, { post: 'COMMITTEE_POST_MEMBER' }, { post: 'COMMITTEE_POST_MEMBER' }]

/** Its code stands in agreements and in disputes that go on: it is given once. */
const CODE = field('code', 'line', { hint: 'committee.field.codeHint', limit: 20, fault: matches(/^[0-9A-Z]{2,20}$/, 'committee.fault.code') })

const CHANGEABLE: CommitteeField[] = [
  field('name', 'line', { limit: 80 }),
  field('kind', 'choice', { options: (_, { t }) => CommitteeKind.slice(1).map((kind) => ({ value: kind, label: t(`committee.kind.${kind}`) })) }),
  field('areaCode', 'choice', { options: ({ areas }) => areas, initial: ({ committee, me }) => committee?.areaCode ?? me.area }),
  field('phone', 'line', { required: undefined, hint: 'committee.field.phoneHint', limit: 20, fault: matches(/^[+0-9 -]{5,20}$/, 'committee.fault.phone') }),
  field('termBeginsOn', 'day', { hint: 'committee.field.termHint' }),
  field('members', 'own', {
    component: PeopleRows, more: { list: 'members' }, initial: ({ committee }) => committee?.members ?? NEW_MEMBERS, fault: (value) => faultOfMembers(value as Person[]),
    wire: (value) => ({ 'committee.members': trimmed(value) }),
  }),
  field('mediators', 'own', {
    component: PeopleRows, more: { list: 'mediators' }, required: undefined, hint: 'committee.field.mediatorsHint', initial: ({ committee }) => committee?.mediators ?? [],
    fault: (value) => faultOfMediators(value as Person[]), wire: (value) => ({ 'committee.mediators': trimmed(value) }),
  }),
]

export const FIELDS = { CreateCommittee: [CODE, ...CHANGEABLE], UpdateCommittee: CHANGEABLE, DissolveCommittee: [] as CommitteeField[] }
export type Verb = keyof typeof FIELDS

/** Everything the form shows is changed to what it shows: what was emptied is named as well. */
export const UPDATE_MASK = CHANGEABLE.map(({ name }) => name.replace('committee.', '')).join(',')

/** What the request of a verb holds beside the fields. */
export function givenOf(verb: Verb, committee: MediationCommittee | null): Record<string, unknown> {
  if (verb === 'CreateCommittee') return {}
  const one = { committeeId: committee?.committeeId }
  return verb === 'UpdateCommittee' ? { ...one, revision: committee?.revision, updateMask: UPDATE_MASK } : one
}
