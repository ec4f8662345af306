/** The board's data: every open case of the caller's area, kept true by one event stream. */
import { computed, onScopeDispose, ref, shallowRef, triggerRef, type Ref } from 'vue'
import { call, urlOf } from '@/api/call'
import { openStream } from '@/api/stream'
import type { Case, WatchCasesResponse } from '@/generated/contract'
import { at } from '@/model/lights'
import { entryOf, isNewer, type Entry } from './entries'

/** Messages are taken in groups: a burst of a hundred changes is one redraw. */
const GROUP_MS = 120
/** The first wave is what was there already: it must not flicker in case by case. */
const SETTLE_MS = 1_500

export interface Board {
  entries: Ref<Map<string, Entry>>
  reported: Ref<Map<string, number>>
  closed: Ref<Map<string, number>>
  settled: Ref<boolean>
  stream: ReturnType<typeof openStream>
}

export function useBoard(): Board {
  const entries = shallowRef(new Map<string, Entry>())
  const reported = shallowRef(new Map<string, number>())
  const closed = shallowRef(new Map<string, number>())
  const settled = ref(false)
  let waiting: Case[] = []
  let timer = 0

  function take(item: Case): void {
    const id = item.caseId ?? ''
    if (!isNewer(item, entries.value.get(id))) return
    entries.value.set(id, entryOf(item))
    note(reported.value, id, at(item.reportedAt))
    note(closed.value, id, at(item.closedAt))
  }

  function flush(): void {
    timer = 0
    waiting.forEach(take)
    waiting = []
    for (const changed of [entries, reported, closed]) triggerRef(changed)
  }

  function receive(items: Case[]): void {
    waiting.push(...items)
    timer ||= window.setTimeout(flush, GROUP_MS)
  }

  const stream = openStream<WatchCasesResponse>(
    (cursor) => urlOf('WatchCases', { cursor }),
    (message) => message.case && receive([message.case]),
  )
  void recentlyClosed().then(receive)
  const settling = window.setTimeout(() => (settled.value = true), SETTLE_MS)
  onScopeDispose(() => {
    stream.close()
    window.clearTimeout(timer)
    window.clearTimeout(settling)
  })
  return { entries, reported, closed, settled, stream }
}

function note(times: Map<string, number>, id: string, time: number): void {
  if (!Number.isNaN(time)) times.set(id, time)
}

/** The stream starts with the open cases; the trend also wants those that were closed lately. */
async function recentlyClosed(): Promise<Case[]> {
  const states = ['CASE_STATE_CLOSED' as const, 'CASE_STATE_EVALUATED' as const]
  const page = await call('ListCases', { states, pageSize: 200 }).catch(() => ({ cases: [] }))
  return page.cases ?? []
}

/** Departments and states that occur on the board, for the filters. */
export function useChoices(entries: Ref<Map<string, Entry>>) {
  const departments = computed(() => new Set([...entries.value.values()].flatMap(({ item }) => item.tasks?.map((task) => task.department ?? '') ?? [])))
  const states = computed(() => new Set([...entries.value.values()].map(({ item }) => item.state ?? 'CASE_STATE_UNSPECIFIED')))
  return { departments, states }
}
