/** The entry that has an identity number already, as a refusal tells it. Pure. */
import { Problem } from '@/api/problem'

export interface Holder {
  /** '' when the caller may not see the entry: the service names it only to those who may. */
  residentId: string
}

/** Null for every other problem. */
export function holderOf(problem: unknown): Holder | null {
  if (!(problem instanceof Problem) || problem.reason !== 'ID_NUMBER_EXISTS') return null
  return { residentId: problem.metadata.resident_id ?? '' }
}
