/** Pages of cases for what is wanted: a new wish starts over, "more" goes on, an answer that comes too late is dropped. */
import { ref, shallowRef, watch, type Ref } from 'vue'
import { call } from '@/api/call'
import type { Case, CountFoundCasesResponse } from '@/generated/contract'
import { mayCall } from '@/api/session'
import { orderOf, toFilter, type Wanted } from './filter'

const PAGE = 50
/** Typing pauses this long (ms) before the service is asked. */
const PAUSE = 250

export function useList(wanted: Ref<Wanted>) {
  const cases = shallowRef<Case[]>([])
  const counts = shallowRef<CountFoundCasesResponse | null>(null)
  const problem = ref<unknown>(null)
  const token = ref('')
  const loading = ref(true)
  let round = 0

  async function load(more: boolean): Promise<void> {
    const mine = more ? round : ++round
    loading.value = true
    problem.value = null
    const filter = toFilter(wanted.value)
    try {
      const page = await call('FindCases', { filter, order: orderOf(wanted.value), pageSize: PAGE, pageToken: more ? token.value : '' })
      if (mine !== round) return
      cases.value = more ? [...cases.value, ...(page.cases ?? [])] : (page.cases ?? [])
      token.value = page.nextPageToken ?? ''
      if (!more && mayCall('CountFoundCases')) {
        const counted = await call('CountFoundCases', { filter })
        if (mine === round) counts.value = counted
      }
    } catch (error) {
      if (mine === round) problem.value = error
    } finally {
      if (mine === round) loading.value = false
    }
  }

  let timer = 0
  watch(wanted, () => {
    window.clearTimeout(timer)
    timer = window.setTimeout(() => void load(false), PAUSE)
  })
  void load(false)
  return { cases, counts, problem, token, loading, more: () => load(true) }
}
