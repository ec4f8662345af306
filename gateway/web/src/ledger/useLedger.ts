/** The comparison and the attribution of one month and area; the latest question wins, whatever order answers come in. */
import { ref, shallowRef, watch, type Ref } from 'vue'
import { call } from '@/api/call'
import type { CategoryComparison, CriticalMinutes } from '@/generated/contract'

export interface LedgerFilter {
  period: string
  areaPrefix: string
  category: string
}

export interface LedgerFigures {
  categories: CategoryComparison[]
  total: CategoryComparison
  critical: CriticalMinutes[]
  criticalTotals: CriticalMinutes[]
}

export function useLedger(filter: Ref<LedgerFilter>): { figures: Ref<LedgerFigures | null>; problem: Ref<unknown>; loading: Ref<boolean> } {
  const figures = shallowRef<LedgerFigures | null>(null)
  const problem = shallowRef<unknown>(null)
  const loading = ref(false)
  let latest = 0

  async function ask(): Promise<void> {
    const mine = ++latest
    loading.value = true
    try {
      const [comparison, critical] = await Promise.all([call('GetComparison', filter.value), call('ListCriticalMinutes', filter.value)])
      if (mine !== latest) return
      problem.value = null
      figures.value = { categories: comparison.categories ?? [], total: comparison.total ?? {}, critical: critical.categories ?? [], criticalTotals: critical.totals ?? [] }
    } catch (refused) {
      if (mine === latest) problem.value = refused
    } finally {
      if (mine === latest) loading.value = false
    }
  }

  watch(filter, ask, { immediate: true, deep: true })
  return { figures, problem, loading }
}
