/** How many notices the person signed in has not read: shown by the bell, kept true by every answer and a look now and then. */
import { onScopeDispose, readonly, ref, type Ref } from 'vue'
import { call } from '@/api/call'
import { newRequestId } from '@/api/requestId'
import type { Notice } from '@/generated/contract'

/** The service counts to 100. */
export const MOST_UNREAD = 100
/** There is no stream of notices. A look costs gateway and service 4 ms of computing, and pages out of sight make none. */
const LOOK_MS = 20_000

const unread = ref(0)

/** The count as it was last heard. */
export const unreadCount: Readonly<Ref<number>> = readonly(unread)

/** What the bell shows: nothing, a number, or 99+. */
export const badge = (count: number): string => (count <= 0 ? '' : count >= MOST_UNREAD ? '99+' : String(count))

export interface Page {
  notices: Notice[]
  next: string
}

/** A page of the own notices; the count comes along. */
export async function loadNotices(pageToken: string, unreadOnly: boolean, pageSize = 50): Promise<Page> {
  const found = await call('ListNotices', { pageToken, unreadOnly, pageSize })
  unread.value = found.unread ?? 0
  return { notices: found.notices ?? [], next: found.nextPageToken ?? '' }
}

/** Marks notices as read, all of them when none is named. */
export async function markRead(noticeIds: string[]): Promise<void> {
  const left = await call('MarkRead', { noticeIds, requestId: newRequestId() })
  unread.value = left.unread ?? 0
}

/** The count, looked up again as long as the page is in sight. A failed look changes nothing: the next one comes. */
export function useUnread(): Readonly<Ref<number>> {
  const look = (): void => {
    if (document.visibilityState === 'visible') void loadNotices('', true, 1).catch(() => undefined)
  }
  const timer = window.setInterval(look, LOOK_MS)
  document.addEventListener('visibilitychange', look)
  look()
  onScopeDispose(() => {
    window.clearInterval(timer)
    document.removeEventListener('visibilitychange', look)
  })
  return unreadCount
}
