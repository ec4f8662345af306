/** The care register in figures: what is withheld stays withheld and is never drawn as nothing. Pure. */
import type { CountCareResponse } from '@/generated/contract'
import { countOf } from '@/question/figures'

export interface CategoryFigure {
  category: string
  /** Null when it is withheld. */
  value: number | null
  areas: { area: string; value: number | null }[]
}

/** The categories that have anybody, the largest first, those withheld last; and how many have nobody. */
export function figuresOf(answer: CountCareResponse): { figures: CategoryFigure[]; empty: number } {
  const all = (answer.categories ?? []).map((one) => ({
    category: one.category ?? '',
    value: countOf(one.total),
    areas: (one.areas ?? []).map((area) => ({ area: area.areaCode ?? '', value: countOf(area.count) })),
  }))
  const figures = all.filter(({ value, areas }) => value !== 0 || areas.length)
  figures.sort((a, b) => (b.value ?? -1) - (a.value ?? -1) || a.category.localeCompare(b.category))
  return { figures, empty: all.length - figures.length }
}

/** Width of a bar in percent; nothing for one that is withheld. */
export const widthOf = (value: number | null, figures: readonly CategoryFigure[]): number =>
  value === null ? 0 : (value / Math.max(1, ...figures.map((one) => one.value ?? 0))) * 100
