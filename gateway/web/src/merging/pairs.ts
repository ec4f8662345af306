/** Two entries that may be one person, and what deciding about them asks for. Pure. */
import { always, type Field } from '@/forms/fields'
import type { DuplicateScore, FieldScore, Resident } from '@/generated/contract'

export interface Pair {
  one: Resident
  other: Resident
  score: DuplicateScore
}

export type Verb = 'MergeResidents' | 'DismissDuplicate'

/** Fields of an entry that can be taken from the one that is merged. */
const TAKEABLE = ['name', 'name_latin', 'phone', 'birth_date', 'sex', 'resident_type', 'household'] as const

/** What an entry says about a field of the score; documents and areas by their own names. */
export function sideOf(resident: Resident, field: string): string {
  const values: Record<string, string | undefined> = {
    name: resident.name, name_latin: resident.nameLatin, phone: resident.phone, birth_date: resident.birthDate, sex: resident.sex, id_number: resident.idNumber,
    area: resident.areaCode, area_code: resident.areaCode, household: resident.householdId ? '✓' : '', resident_type: resident.residentType,
  }
  return values[field] ?? ''
}

/** Fields by how much they say, for or against; those that say nothing are left out. */
export const weighed = (score: DuplicateScore): FieldScore[] => (score.fields ?? []).toSorted((a, b) => Math.abs(b.bits ?? 0) - Math.abs(a.bits ?? 0))

/** +12.3, −4.0 */
export const signed = (bits: number | undefined): string => `${(bits ?? 0) < 0 ? '−' : '+'}${Math.abs(bits ?? 0).toFixed(1)}`

/** Never 100 %: nobody is certain. */
export const percentOf = (probability: number | undefined): string => String(Math.min(99.9, Math.floor((probability ?? 0) * 1_000) / 10))

export const FIELDS: Record<Verb, Field<Pair>[]> = {
  MergeResidents: [
    {
      name: 'residentId', kind: 'choice', label: 'merging.field.survivor', required: always, initial: ({ one }) => one.residentId,
      options: ({ one, other }, { t }) => [{ value: one.residentId ?? '', label: `${t('merging.one')} ${one.name}` }, { value: other.residentId ?? '', label: `${t('merging.other')} ${other.name}` }],
      wire: (value, { one, other }) => ({ residentId: value, absorbedId: value === one.residentId ? other.residentId : one.residentId }),
    },
    {
      name: 'take', kind: 'several', label: 'merging.field.take', initial: () => [],
      options: (_, { t }) => TAKEABLE.map((value) => ({ value, label: t(`people.field.${value}`) })),
    },
    { name: 'reason', kind: 'text', label: 'merging.field.reason', required: always },
  ],
  DismissDuplicate: [{ name: 'reason', kind: 'text', label: 'merging.field.reason', required: always }],
}

export const givenOf = (verb: Verb, { one, other }: Pair): Record<string, unknown> => (verb === 'MergeResidents' ? {} : { residentId: one.residentId, otherId: other.residentId })
