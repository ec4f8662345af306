/** Why clocks are due when they are due: asked of the service once somebody wants to know, then again whenever the case changes. */
import { inject, provide, ref, shallowRef, watch, type InjectionKey } from 'vue'
import { call } from '@/api/call'
import type { Clock, ClockDay, ClockExplanation } from '@/generated/contract'
import type { Language } from '@/i18n'

export interface Explanations {
  /** The explanation of one clock, once it is there; `taskId` is '' for the case itself. */
  of(taskId: string, clock: Clock): ClockExplanation | undefined
  /** Asks for all of them, if nobody has yet. */
  want(): void
}

const KEY: InjectionKey<Explanations> = Symbol('explanations')

/** Lets the clocks below explain themselves. */
export function provideExplanations(caseId: string, revision: () => string | undefined): void {
  const found = shallowRef<ClockExplanation[]>([])
  const wanted = ref(false)

  async function ask(): Promise<void> {
    const answer = await call('ExplainClocks', { caseId }).catch(() => null)
    if (answer) found.value = answer.clocks ?? []
  }

  watch([wanted, revision], ([now]) => now && void ask())
  provide(KEY, {
    of: (taskId, clock) => found.value.find((each) => (each.taskId ?? '') === taskId && each.clock?.kind === clock.kind),
    want: () => (wanted.value = true),
  })
}

/** The explanations of the case around; null where nobody provides any. */
export const useExplanations = (): Explanations | null => inject(KEY, null)

/** The sentence of an explanation or one of its lines in the language of the page. */
export const said = (text: { zh?: string; en?: string }, language: Language): string => (language === 'zh' ? text.zh : text.en) ?? ''

/** How much of the fullest of its days each day has, 0 to 1: heights of a small chart. */
export function sharesOf(days: ClockDay[]): number[] {
  const most = Math.max(1, ...days.map((day) => day.minutes ?? 0))
  return days.map((day) => (day.minutes ?? 0) / most)
}
