/** The server's clock: limits are the server's, so a phone with a wrong clock must not show wrong lights. */
import { onScopeDispose, ref, type Ref } from 'vue'

let offset = 0

/** Takes the `Date` header of an answer. Its grain is a second, so smaller differences are left alone. */
export function learnServerTime(date: string | null): void {
  const server = date ? Date.parse(date) : Number.NaN
  if (Number.isNaN(server)) return
  const difference = server - Date.now()
  offset = Math.abs(difference) < 2_000 ? 0 : difference
}

/** Milliseconds since 1970 on the server's clock. */
export function serverNow(): number {
  return Date.now() + offset
}

/** A ref that follows the server's clock while the component lives; rests while the page is hidden. */
export function useNow(interval = 1_000): Ref<number> {
  const now = ref(serverNow())
  const timer = window.setInterval(() => {
    if (!document.hidden) now.value = serverNow()
  }, interval)
  onScopeDispose(() => window.clearInterval(timer))
  return now
}
