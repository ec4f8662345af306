/** Departments as choices of a form. Pure. */
import type { Option, Words } from '@/forms/fields'
import type { Case } from '@/generated/contract'
import { codesOf, departmentChip } from '@/model/codes'

export const options = (codes: string[], words: Pick<Words, 'language'>): Option[] => codes.map((code) => ({ value: code, label: departmentChip(code, words.language) }))

/** Departments that never had a task in the case. */
export function freeDepartments(item: Case, words: Pick<Words, 'language'>): Option[] {
  const taken = new Set(item.tasks?.map((task) => task.department))
  return options(codesOf('departments').map(({ code }) => code).filter((code) => !taken.has(code)), words)
}
