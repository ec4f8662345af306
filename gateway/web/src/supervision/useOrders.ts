/** The supervision orders about one case: read when the case changes, after an own action, and now and then. */
import { onScopeDispose, shallowRef, watch, type Ref } from 'vue'
import { call } from '@/api/call'
import { mayCall } from '@/api/session'
import type { SupervisionOrder } from '@/generated/contract'
import { sorted } from './orders'

/** Orders change without their case: a department replies, an overdue one climbs. */
const LOOK_AGAIN = 15_000
/** An escalation becomes orders a moment after the case has changed. */
const SOON = 1_500

export interface FollowedOrders {
  orders: Ref<SupervisionOrder[]>
  look(): Promise<void>
}

export function useOrders(caseId: string, revision: () => string | undefined): FollowedOrders {
  const orders = shallowRef<SupervisionOrder[]>([])
  let asked = 0
  let soon = 0

  async function look(): Promise<void> {
    if (!mayCall('ListOrders')) return
    const turn = ++asked
    const found = await call('ListOrders', { caseId, pageSize: 100 }).catch(() => null)
    if (found && turn === asked) orders.value = sorted(found.orders ?? [])
  }

  const timer = window.setInterval(() => {
    if (!document.hidden) void look()
  }, LOOK_AGAIN)
  watch(
    revision,
    () => {
      void look()
      window.clearTimeout(soon)
      soon = window.setTimeout(() => void look(), SOON)
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    window.clearInterval(timer)
    window.clearTimeout(soon)
  })
  return { orders, look }
}
