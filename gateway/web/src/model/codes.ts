/** Names of the code tables in the language of the page. The tables themselves are written by scripts/codes.mjs. */
import tables from '@/generated/codes.json'
import type { Language } from '@/i18n'

export interface Code {
  code: string
  zh: string
  en: string
}

type Table = keyof typeof tables

const indexed = Object.fromEntries(
  Object.entries(tables).map(([name, rows]) => [name, new Map(rows.map((row) => [row.code, row]))]),
) as Record<Table, Map<string, Code>>

export const codesOf = (table: Table): Code[] => tables[table]

/** Name of a code; the code itself when the table does not know it (a newer service, an imported city). */
export function codeName(table: Table, code: string | undefined, language: Language): string {
  const row = code ? indexed[table].get(code) : undefined
  return row ? row[language] : (code ?? '')
}

/** A name without what stands in brackets. */
export const withoutBrackets = (name: string): string => name.replace(/[(（][^)）]*[)）]/g, '').trim()

/** Department name short enough for a chip. */
export function departmentChip(code: string | undefined, language: Language): string {
  return withoutBrackets(codeName('departments', code, language))
}

/** Categories of one letter: the letter's own row first. */
export function categoriesOf(letter: string): Code[] {
  return tables.categories.filter((row) => row.code.startsWith(letter))
}

/** The letters A to M: what a report is about, coarsely. */
export const categoryLetters = (): Code[] => tables.categories.filter((row) => row.code.length === 1)
