/** A list that comes page by page. */
import { ref, shallowRef, type Ref } from 'vue'

export interface List<T> {
  items: Ref<T[]>
  more: Ref<boolean>
  busy: Ref<boolean>
  loaded: Ref<boolean>
  problem: Ref<unknown>
  reload(): Promise<void>
  loadMore(): Promise<void>
}

/** Loads by `page(token)`; an answer that was overtaken by a reload is dropped. */
export function useList<T>(page: (token: string) => Promise<{ items: T[]; next: string }>): List<T> {
  const items = shallowRef<T[]>([])
  const [more, busy, loaded, problem] = [ref(false), ref(false), ref(false), ref<unknown>(null)]
  let token = ''
  let round = 0

  async function load(from: string, before: T[]): Promise<void> {
    const mine = ++round
    busy.value = true
    problem.value = null
    try {
      const found = await page(from)
      if (mine !== round) return
      items.value = [...before, ...found.items]
      token = found.next
      more.value = !!token
      loaded.value = true
    } catch (refused) {
      if (mine === round) problem.value = refused
    } finally {
      if (mine === round) busy.value = false
    }
  }

  return { items, more, busy, loaded, problem, reload: () => load('', []), loadMore: () => load(token, items.value) }
}
