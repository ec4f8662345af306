/** A copy of everything kept about a person: as a file, and the main facts of it to read. Pure. */
import type { GetMyDataResponse } from '@/generated/contract'
import type { Language } from '@/i18n'
import { codeName } from '@/model/codes'

type Plain = Record<string, unknown>

const parsed = (answer: GetMyDataResponse): Record<string, Plain[]> => JSON.parse(answer.json || '{}') as Record<string, Plain[]>

/** Written so that people can read it. */
export const copyFile = (answer: GetMyDataResponse): Blob => new Blob([JSON.stringify(parsed(answer), null, 2)], { type: 'application/json' })

/** Facts of the entry in the register, in the order of a form; names of fields as the catalogue has them. */
const FACTS = ['name', 'name_latin', 'sex', 'birth_date', 'id_doc_type', 'id_number', 'phone', 'resident_type', 'household_relation', 'area_code'] as const
const CODES: Partial<Record<string, Parameters<typeof codeName>[0]>> = { sex: 'sexes', resident_type: 'residentTypes', household_relation: 'relations', id_doc_type: 'idTypes' }

export function factsOf(answer: GetMyDataResponse, language: Language): { field: string; value: string }[] {
  const entry = parsed(answer).residents?.[0] ?? {}
  const text = (field: string): string => {
    const value = entry[field]
    const plain = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
    const table = CODES[field]
    return table ? codeName(table, plain, language) : plain
  }
  return FACTS.map((field) => ({ field, value: text(field) })).filter(({ value }) => value)
}

/** How many documents of each collection there are beside the entry itself. */
export const elsewhere = (answer: GetMyDataResponse): { name: string; count: number }[] =>
  Object.entries(parsed(answer)).filter(([name, rows]) => name !== 'residents' && rows.length).map(([name, rows]) => ({ name, count: rows.length }))
