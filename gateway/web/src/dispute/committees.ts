/** Committees as the register has them, and who mediates for one. */
import { call } from '@/api/call'
import type { Option } from '@/forms/fields'
import type { MediationCommittee } from '@/generated/contract'

/** Committees whose area holds the case, nearest first, then the others of its district. */
export async function committeesFor(areaCode: string): Promise<MediationCommittee[]> {
  const found = (await call('ListCommittees', { areaPrefix: areaCode.slice(0, 6), pageSize: 200 })).committees ?? []
  const nearness = (one: MediationCommittee): number => (areaCode.startsWith(one.areaCode ?? '') ? (one.areaCode ?? '').length : 0)
  return found.toSorted((one, other) => nearness(other) - nearness(one))
}

export async function committeeOf(code: string | undefined): Promise<MediationCommittee | null> {
  return (await call('ListCommittees', { code })).committees?.[0] ?? null
}

/** Everybody who mediates for a committee: members and engaged mediators. */
export const peopleOf = (committee: MediationCommittee | null): Option[] =>
  [...(committee?.members ?? []), ...(committee?.mediators ?? [])].map((one) => ({ value: one.subject ?? '', label: one.name ?? '' }))

export const nameOf = (committee: MediationCommittee | null, subject: unknown): string => peopleOf(committee).find((one) => one.value === subject)?.label ?? ''
