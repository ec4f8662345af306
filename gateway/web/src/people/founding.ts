/** A household is made before its first member. */
import { call } from '@/api/call'
import { newRequestId, requestIds } from '@/api/requestId'
import type { Resident } from '@/generated/contract'
import { NEW_HOUSEHOLD } from './entry'

/** Gives the id of a household that was chosen, after making it if it is a new one; asked again for the same house, it is the same household. */
export function founding(): (chosen: string, areaCode: string, houseId: string | undefined) => Promise<string> {
  const requestId = requestIds()
  return async (chosen, areaCode, houseId) => {
    if (chosen !== NEW_HOUSEHOLD) return chosen
    const household = { areaCode, houseId }
    return (await call('CreateHousehold', { requestId: requestId(household), household })).householdId ?? ''
  }
}

/** What follows when somebody has joined: who founded the household becomes its head, anybody else's relation is submitted. */
export async function afterJoining(resident: Resident, relation: string): Promise<void> {
  const { residentId, householdId, householdRelation: seen = '' } = resident
  const requestId = newRequestId()
  if (relation) await call('SubmitFields', { requestId, residentId, edits: [{ field: 'household_relation', seen, value: relation }] })
  else await call('SetHouseholdHead', { requestId, householdId, headId: residentId })
}
