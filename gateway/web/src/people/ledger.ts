/** What is known about each field of a person: who said so, when, out of which source, and whether somebody looked. Pure. */
import type { FieldEntry, FieldLedger, FieldSource, Resident } from '@/generated/contract'
import type { Language } from '@/i18n'
import { codeName, departmentChip } from '@/model/codes'

/** Tables of fields that hold codes. */
const TABLES = { sex: 'sexes', resident_type: 'residentTypes', household_relation: 'relations', match_flag: 'matchFlags' } as const

/** A value in words; masked ones stay as they are. */
export function valueText(field: string, value: string | undefined, language: Language): string {
  const table = TABLES[field as keyof typeof TABLES]
  return table ? codeName(table, value, language) : (value ?? '')
}

/** 公安局, or what the grid and the register are called. */
export function sourceText(source: string | undefined, own: Record<string, string>, language: Language): string {
  return source ? (own[source] ?? departmentChip(source, language)) : ''
}

export interface Fact {
  field: string
  value: string
  accepted: FieldSource | null
  /** Other sources that say something else, and were not found wrong. */
  differing: FieldSource[]
  overridden: FieldSource[]
  conflict: boolean
  asked: boolean
}

const differing = (entry: FieldEntry): FieldSource[] =>
  (entry.observations ?? []).filter((one) => one.source !== entry.accepted?.source && one.value !== entry.accepted?.value && !one.refuted)

/** Field by field what the ledger says. A value the resident shows in full is taken from there: the ledger may hide more. */
export function factsOf(ledger: FieldLedger, resident: Resident): Fact[] {
  const shown: Record<string, string | undefined> = {
    name: resident.name, name_latin: resident.nameLatin, sex: resident.sex, birth_date: resident.birthDate, phone: resident.phone,
    resident_type: resident.residentType, household_relation: resident.householdRelation,
  }
  return (ledger.entries ?? []).map((entry) => ({
    field: entry.field ?? '',
    value: shown[entry.field ?? ''] ?? entry.accepted?.value ?? '',
    accepted: entry.accepted ?? null,
    differing: differing(entry),
    overridden: entry.overridden ?? [],
    conflict: !!entry.conflict,
    asked: ledger.check?.fields?.includes(entry.field ?? '') ?? false,
  }))
}
