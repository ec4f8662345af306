/** Server-sent events that survive everything short of a refusal: the browser resumes with Last-Event-ID, we reopen what it gives up. */
import { ref, type Ref } from 'vue'
import { checkSession } from './session'

export type StreamState = 'connecting' | 'live' | 'waiting' | 'closed'

export interface Stream {
  state: Ref<StreamState>
  close(): void
}

const FIRST_WAIT = 1_000
const LONGEST_WAIT = 15_000

/**
 * Opens `url(cursor)` and hands every message's JSON to `receive`. The browser itself reconnects after a broken connection;
 * after an HTTP error it gives up, and we open again from the last cursor, waiting 1 to 15 s.
 */
export function openStream<T>(url: (cursor: string) => string, receive: (message: T) => void): Stream {
  const state = ref<StreamState>('connecting')
  let cursor = ''
  let wait = FIRST_WAIT
  let timer = 0
  let source: EventSource

  function open(): void {
    source = new EventSource(url(cursor))
    source.onopen = () => {
      state.value = 'live'
      wait = FIRST_WAIT
    }
    source.onmessage = (event: MessageEvent<string>) => {
      cursor = event.lastEventId || cursor
      receive(JSON.parse(event.data) as T)
    }
    source.onerror = () => (source.readyState === EventSource.CLOSED ? reopenLater() : (state.value = 'connecting'))
  }

  function reopenLater(): void {
    state.value = 'waiting'
    void checkSession()
    timer = window.setTimeout(open, wait)
    wait = Math.min(wait * 2, LONGEST_WAIT)
  }

  function close(): void {
    window.clearTimeout(timer)
    source.close()
    state.value = 'closed'
  }

  open()
  return { state, close }
}
