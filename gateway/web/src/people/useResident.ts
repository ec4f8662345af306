/** One resident with the sources of the fields and the household; in full only while somebody asks for it, for a purpose. */
import { ref, shallowRef, type Ref } from 'vue'
import { call } from '@/api/call'
import { Problem } from '@/api/problem'
import { mayCall } from '@/api/session'
import type { FieldLedger, Household, Resident } from '@/generated/contract'

export interface ShownResident {
  resident: Ref<Resident | null>
  ledger: Ref<FieldLedger | null>
  members: Ref<Resident[]>
  household: Ref<Household | null>
  problem: Ref<unknown>
  /** Purpose the data are shown in full for; '' while they are masked. */
  purpose: Ref<string>
  busy: Ref<boolean>
  load(): Promise<void>
  reveal(purpose: string): Promise<void>
  hide(): Promise<void>
}

/** An id that cannot be one is nobody either. */
const asMissing = (refused: unknown): unknown => (refused instanceof Problem && refused.status === 400 ? refused.as(404, 'RESIDENT_NOT_FOUND') : refused)

export function useResident(residentId: string): ShownResident {
  const resident = shallowRef<Resident | null>(null)
  const ledger = shallowRef<FieldLedger | null>(null)
  const members = shallowRef<Resident[]>([])
  const household = shallowRef<Household | null>(null)
  const problem = ref<unknown>(null)
  const purpose = ref('')
  const busy = ref(false)
  let round = 0

  async function ask(why: string): Promise<void> {
    const mine = ++round
    busy.value = true
    try {
      const [person, fields] = await Promise.all([
        why ? call('RevealResident', { residentId }, undefined, why) : call('GetResident', { residentId }),
        mayCall('GetFieldLedger') ? call('GetFieldLedger', { residentId }, undefined, why || undefined) : null,
      ])
      if (mine !== round) return
      resident.value = person
      ledger.value = fields
      purpose.value = why
      problem.value = null
      void home(person, mine)
    } catch (refused) {
      if (mine === round) problem.value = asMissing(refused)
    } finally {
      if (mine === round) busy.value = false
    }
  }

  /** The household stays masked: it was not asked for. */
  async function home(person: Resident, mine: number): Promise<void> {
    if (!person.householdId || !mayCall('GetHouseholdMembers')) return
    const answer = await call('GetHouseholdMembers', { householdId: person.householdId }).catch(() => null)
    if (!answer || mine !== round) return
    members.value = answer.members ?? []
    household.value = answer.household ?? null
  }

  void ask('')
  return { resident, ledger, members, household, problem, purpose, busy, load: () => ask(purpose.value), reveal: ask, hide: () => ask('') }
}
