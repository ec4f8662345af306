/** The voter roll as it is shown and saved. Pure. */
import type { VoterEntry } from '@/generated/contract'

/** Lines of one page on the screen. */
export const PAGE = 50

export const pagesOf = (count: number): number => Math.max(1, Math.ceil(count / PAGE))
export const pageOf = <T>(rows: readonly T[], page: number): T[] => rows.slice((page - 1) * PAGE, page * PAGE)

/** A cell of CSV; what a spreadsheet would take for a formula is kept as text. */
export function cellOf(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

export interface Names {
  head: readonly string[]
  sex(code: string | undefined): string
  area(code: string | undefined): string
  type(code: string | undefined): string
}

/** A file spreadsheets open: UTF-8 with its mark, one line for each voter. In parts, for a district is long. */
export function csvOf(entries: readonly VoterEntry[], names: Names): string[] {
  const line = (cells: readonly string[]): string => `${cells.map(cellOf).join(',')}\r\n`
  const rows = entries.map((one, at) => line([String(at + 1), one.name ?? '', names.sex(one.sex), one.birthDate ?? '', names.area(one.areaCode), one.areaCode ?? '', names.type(one.residentType)]))
  return ['\ufeff', line(names.head), ...rows]
}
