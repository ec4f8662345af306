/** Finds residents by what somebody typed: a number or a name. What is looked for travels in the body. */
import { call } from '@/api/call'
import type { Resident } from '@/generated/contract'
import { isNumber } from './register'

export interface Found {
  residents: Resident[]
  more: boolean
}

/** `purpose`: why (purpose_code.csv); the search is recorded with it. */
export async function findPeople(text: string, purpose: string, more: { areaPrefix?: string; includeDeparted?: boolean } = {}): Promise<Found> {
  const looked = text.trim()
  const answer = isNumber(looked)
    ? { ...(await call('FindResidents', { idNumber: looked.replace(/\s/g, '') }, undefined, purpose)), more: false }
    : await call('FindResidentsByName', { name: looked, ...more }, undefined, purpose)
  return { residents: answer.residents ?? [], more: !!answer.more }
}
