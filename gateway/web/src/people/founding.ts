/** A household is made before its first member. */
import { call } from '@/api/call'
import { requestIds } from '@/api/requestId'
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
