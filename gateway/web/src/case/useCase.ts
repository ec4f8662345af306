/** One case, followed live, with its ledger once the assessment has one. */
import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { call, urlOf } from '@/api/call'
import { Problem } from '@/api/problem'
import { mayCall } from '@/api/session'
import { openStream, type Stream } from '@/api/stream'
import type { Case, CaseLedger, TaskView, WatchCaseResponse } from '@/generated/contract'
import { isKnown, isOfTask, withTask, type Answer } from './answers'

export interface FollowedCase {
  item: Ref<Case | null>
  ledger: Ref<CaseLedger | null>
  problem: Ref<unknown>
  stream: Stream
  /** Takes an answer to an action at once, without waiting for the stream. */
  take(changed: Answer): void
}

/** The ledger is written from events: it follows the case by a moment, so ask a few times. */
const LEDGER_WAITS = [300, 700, 1_500, 3_000, 6_000, 12_000]

/** An id that cannot be one is no case either: whoever mistyped an address is told the same. */
export function asMissing(refused: unknown): unknown {
  return refused instanceof Problem && refused.status === 400 ? refused.as(404, 'CASE_NOT_FOUND') : refused
}

export function useCase(caseId: string): FollowedCase {
  const item = shallowRef<Case | null>(null)
  const ledger = shallowRef<CaseLedger | null>(null)
  const problem = ref<unknown>(null)
  let timer = 0

  function take(changed: Answer): void {
    if (isOfTask(changed)) return takeTask(changed)
    const known = BigInt(item.value?.revision ?? '0')
    // Answers to actions come without the steps, which the stream brings.
    const steps = changed.steps ?? item.value?.steps
    if (!item.value || BigInt(changed.revision ?? '0') >= known) item.value = { ...changed, steps }
  }

  /** Shows the task at once and fetches the rest of the case, which it may have changed, unless the stream was faster. */
  function takeTask(view: TaskView): void {
    if (!item.value || isKnown(item.value, view)) return
    item.value = withTask(item.value, view)
    void call('GetCase', { caseId }).then(take, () => undefined) // refused or broken: the stream brings it
  }

  async function askLedger(attempt: number): Promise<void> {
    const found = await call('GetCaseLedger', { caseId }).catch(() => null)
    if (found?.handledAt === item.value?.handledAt && found?.serialMinutes) ledger.value = found
    else if (attempt < LEDGER_WAITS.length) timer = window.setTimeout(() => void askLedger(attempt + 1), LEDGER_WAITS[attempt])
  }

  // A stream cannot say why it was refused, so the case is fetched as well: its problem is shown.
  void call('GetCase', { caseId }).then(take, (refused: unknown) => (problem.value = asMissing(refused)))
  const stream = openStream<WatchCaseResponse>(
    (cursor) => urlOf('WatchCase', { caseId, cursor }),
    (message) => message.case && take(message.case),
  )
  watch(problem, (refused) => refused instanceof Problem && refused.status !== 0 && stream.close())
  watch(
    () => item.value?.handledAt,
    (handledAt) => {
      window.clearTimeout(timer)
      ledger.value = null
      if (handledAt && mayCall('GetCaseLedger')) void askLedger(0)
    },
  )
  onScopeDispose(() => {
    stream.close()
    window.clearTimeout(timer)
  })
  return { item, ledger, problem, stream, take }
}
