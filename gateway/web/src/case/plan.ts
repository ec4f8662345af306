/** A dispatch under construction: rows of departments, one of them the lead, some behind others. Pure. */
import type { TaskPlan } from '@/generated/contract'

export interface PlanRow {
  /** Stable while the department changes; also the key of the task in `after`. */
  key: string
  department: string
  lead: boolean
  after: string[]
  instruction: string
}

export function rowsOf(tasks: TaskPlan[]): PlanRow[] {
  return tasks.map((task) => ({
    key: task.key || (task.department ?? ''),
    department: task.department ?? '',
    lead: task.role === 'TASK_ROLE_LEAD',
    after: task.after ?? [],
    instruction: task.instruction ?? '',
  }))
}

export function plansOf(rows: PlanRow[]): TaskPlan[] {
  return rows.map(({ key, department, lead, after, instruction }) => ({
    key, department, role: lead ? 'TASK_ROLE_LEAD' : 'TASK_ROLE_JOINT', ...(after.length ? { after } : {}), ...(instruction.trim() ? { instruction: instruction.trim() } : {}),
  }))
}

/** Takes a row out, also where others wait for it; the first row leads when the lead is gone. */
export function without(rows: PlanRow[], key: string): PlanRow[] {
  const kept = rows.filter((row) => row.key !== key).map((row) => ({ ...row, after: row.after.filter((other) => other !== key) }))
  const led = kept.some((row) => row.lead)
  return kept.map((row, place) => (led || place > 0 ? row : { ...row, lead: true }))
}

/** Keys that wait for each other in a circle; empty when there is none. */
export function circleOf(rows: PlanRow[]): string[] {
  let left = rows
  for (;;) {
    const keys = new Set(left.map((row) => row.key))
    const blocked = left.filter((row) => row.after.some((key) => keys.has(key)))
    if (blocked.length === left.length) return left.map((row) => row.key)
    left = blocked
  }
}

export type PlanFault = { kind: 'needLead' } | { kind: 'needDepartment' | 'twice'; key: string } | { kind: 'cycle'; keys: string[] }

/** The first thing wrong with a plan; null when the service would take it. */
export function faultOf(rows: PlanRow[]): PlanFault | null {
  const nameless = rows.find((row) => !row.department)
  if (nameless) return { kind: 'needDepartment', key: nameless.key }
  const twice = rows.find((row, place) => rows.findIndex((other) => other.department === row.department) < place)
  if (twice) return { kind: 'twice', key: twice.key }
  if (rows.filter((row) => row.lead).length !== 1) return { kind: 'needLead' }
  const keys = circleOf(rows)
  return keys.length ? { kind: 'cycle', keys } : null
}
