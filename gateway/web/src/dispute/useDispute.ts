/** One dispute: read, read again now and then, and with names and contacts only while somebody asks for them. */
import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { call } from '@/api/call'
import { Problem } from '@/api/problem'
import type { Dispute } from '@/generated/contract'

/** Mediating disputes (purpose_code.csv). */
export const MEDIATION = 'P04'
/** Others may work on it as well; there is no stream of disputes. */
const LOOK_AGAIN = 20_000

export interface FollowedDispute {
  dispute: Ref<Dispute | null>
  problem: Ref<unknown>
  /** Whether names and contacts are shown in full. */
  revealed: Ref<boolean>
  /** Takes the answer to a verb at once. */
  take(changed: Dispute): void
  load(): Promise<void>
}

/** An id that cannot be one is no dispute either. */
const asMissing = (refused: unknown): unknown => (refused instanceof Problem && refused.status === 400 ? refused.as(404, 'DISPUTE_NOT_FOUND') : refused)

export function useDispute(disputeId: string): FollowedDispute {
  const dispute = shallowRef<Dispute | null>(null)
  const problem = ref<unknown>(null)
  const revealed = ref(false)
  let round = 0

  async function load(): Promise<void> {
    const mine = ++round
    try {
      const found = await call('GetDispute', { disputeId }, undefined, revealed.value ? MEDIATION : undefined)
      if (mine !== round) return
      dispute.value = found
      problem.value = null
    } catch (refused) {
      if (mine !== round) return
      problem.value = asMissing(refused)
      revealed.value = false
    }
  }

  /** Answers to verbs are masked: with everything in sight, the dispute is read again. */
  function take(changed: Dispute): void {
    round += 1
    if (revealed.value) void load()
    else dispute.value = changed
  }

  watch(revealed, load)
  const timer = window.setInterval(() => {
    if (!document.hidden && dispute.value) void load()
  }, LOOK_AGAIN)
  void load()
  onScopeDispose(() => window.clearInterval(timer))
  return { dispute, problem, revealed, take, load }
}
