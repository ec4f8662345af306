/** Why the clocks of a case are due when they are due, in words; asked for when somebody points at a bar, and again when it changed. */
import { ref, shallowRef, type Ref } from 'vue'
import { call } from '@/api/call'
import type { ClockExplanation, ClockKind } from '@/generated/contract'
import type { Language } from '@/i18n'

export interface Explanations {
  /** What is known so far; empty until the first answer. */
  known: Ref<ClockExplanation[]>
  /** Asks unless the answer for this revision of the case is there or under way. */
  ask(revision: string): void
}

export function useExplanations(caseId: string): Explanations {
  const known = shallowRef<ClockExplanation[]>([])
  const asked = ref('')
  function ask(revision: string): void {
    if (asked.value === revision) return
    asked.value = revision
    call('ExplainClocks', { caseId }).then(
      (answer) => (known.value = answer.clocks ?? []),
      () => (asked.value = ''),
    )
  }
  return { known, ask }
}

export interface Sentence {
  clock: ClockKind
  text: string
  /** What last moved its due time since it started; empty: nothing did. */
  change: string
}

/** Why the clocks of one task are due when they are. The first thing that happened to a clock is its start, which the sentence tells. */
export function sentencesOf(known: ClockExplanation[], taskId: string, language: Language): Sentence[] {
  const own = known.filter((one) => (one.taskId ?? '') === taskId)
  return own.map((one) => {
    const moved = (one.changes ?? []).slice(1).findLast((line) => line.dueAt)
    return { clock: one.clock?.kind ?? 'CLOCK_KIND_UNSPECIFIED', text: one[language] ?? '', change: moved?.[language] ?? '' }
  })
}
