/** What a grid worker proposes, and what was found on looking: rows of forms and the requests that come of them. Pure. */
import type { FieldEdit, FieldEntry, FieldLedger, FieldSource, FieldValue, Resident } from '@/generated/contract'
import type { Language } from '@/i18n'
import { codesOf } from '@/model/codes'
import type { Option } from '@/forms/fields'

/** Fields that may be proposed, in the order of a form. */
export const COLLECTED = ['name', 'name_latin', 'sex', 'birth_date', 'phone', 'resident_type', 'household_relation'] as const

const CODES = { sex: 'sexes', resident_type: 'residentTypes', household_relation: 'relations' } as const

/** Codes a field is chosen from; null: it is written. */
export function optionsOf(field: string, language: Language): Option[] | null {
  const table = CODES[field as keyof typeof CODES]
  return table ? codesOf(table).map((row) => ({ value: row.code, label: row[language] })) : null
}

export const isMasked = (value: string | undefined): boolean => !!value?.includes('*')

export interface EditRow {
  field: string
  /** What the editor sees now; masked ones count as seen. */
  seen: string
  value: string
}

/** Rows for what is proposed. A masked value is not repeated into its control: left empty, it stays as it is. */
export function rowsOf(resident: Resident): EditRow[] {
  const shown: Record<string, string | undefined> = {
    name: resident.name, name_latin: resident.nameLatin, sex: resident.sex, birth_date: resident.birthDate, phone: resident.phone,
    resident_type: resident.residentType, household_relation: resident.householdRelation,
  }
  return COLLECTED.map((field) => ({ field, seen: shown[field] ?? '', value: isMasked(shown[field]) ? '' : (shown[field] ?? '') }))
}

/** Only what was changed is proposed. */
export const editsOf = (rows: readonly EditRow[]): FieldEdit[] =>
  rows
    .filter(({ seen, value }) => (isMasked(seen) ? !!value.trim() : value.trim() !== seen))
    .map(({ field, seen, value }) => ({ field, seen, value: value.trim() }))

export interface FoundRow {
  field: string
  value: string
  /** The resident does not want to tell; that is their right. */
  declined: boolean
}

export const foundRows = (ledger: FieldLedger): FoundRow[] => (ledger.check?.fields ?? []).map((field) => ({ field, value: '', declined: false }))

export const isWhole = (rows: readonly FoundRow[]): boolean => rows.every(({ value, declined }) => declined || !!value.trim())

/** The request of a completed order. */
export function foundOf(rows: readonly FoundRow[]): { found: FieldValue[]; declined: string[] } {
  return {
    found: rows.filter(({ declined }) => !declined).map(({ field, value }) => ({ field, value: value.trim() })),
    declined: rows.filter(({ declined }) => declined).map(({ field }) => field),
  }
}

/** What the sources say about a field, the accepted one first, each value once. */
export function claimsOf(entry: FieldEntry): { value: string; sources: FieldSource[] }[] {
  const claims = new Map<string, FieldSource[]>()
  const add = (one: FieldSource): void => {
    const known = claims.get(one.value ?? '') ?? []
    if (!known.some((other) => other.source === one.source)) claims.set(one.value ?? '', [...known, one])
  }
  if (entry.accepted?.value) add(entry.accepted)
  entry.observations?.filter((one) => one.value).forEach(add)
  return Array.from(claims, ([value, sources]) => ({ value, sources }))
}

/** The last value of one kind of source: the department's, or what the grid proposed. */
export function observed(entry: FieldEntry, whose: 'grid' | 'departments'): FieldSource[] {
  const isGrid = (one: FieldSource): boolean => one.source === 'GRID'
  return (entry.observations ?? []).filter((one) => (whose === 'grid' ? isGrid(one) : !isGrid(one) && one.source !== 'REGISTER'))
}
