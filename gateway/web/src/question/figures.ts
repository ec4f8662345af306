/** Figures as they are drawn: what is withheld stays withheld and is never drawn as nothing. Pure. */
import type { Count, GetPyramidResponse, HouseholdSize, PyramidBand, TrendPoint } from '@/generated/contract'

/** How many, or null when it is withheld. */
export const countOf = (count: Count | undefined): number | null => (count?.withheld ? null : Number(count?.value ?? 0))

export interface Band {
  from: number
  to: number
  male: number | null
  female: number | null
  other: number | null
}

export const isUnknown = (band: Pick<Band, 'from'>): boolean => band.from < 0

/** The bands of a pyramid, youngest first; those whose age is not known last. */
export function bandsOf(answer: GetPyramidResponse): Band[] {
  const band = (one: PyramidBand): Band => ({ from: one.fromAge ?? 0, to: one.toAge ?? 0, male: countOf(one.male), female: countOf(one.female), other: countOf(one.other) })
  return (answer.bands ?? []).map(band)
}

/** Whether any band has people whose sex is not known; rarely, and then they get a series of their own. */
export const hasOthers = (bands: readonly Band[]): boolean => bands.some((one) => one.other !== 0)

/** The longest bar, so that what is withheld can be drawn as short as it is. */
export const longest = (bands: readonly Band[]): number => Math.max(10, ...bands.flatMap((one) => [one.male ?? 0, one.female ?? 0]))

export interface Point {
  day: string
  value: number | null
}

export const pointsOf = (points: readonly TrendPoint[]): Point[] => points.map((one) => ({ day: one.day ?? '', value: countOf(one.count) }))

/** Households by size, 1 to the largest, without gaps. */
export function sizesOf(sizes: readonly HouseholdSize[]): { size: number; value: number | null }[] {
  const known = new Map(sizes.map((one) => [one.size ?? 0, countOf(one.households)]))
  const most = Math.max(0, ...known.keys())
  return Array.from({ length: most }, (_, at) => ({ size: at + 1, value: known.has(at + 1) ? (known.get(at + 1) ?? null) : 0 }))
}

/** First day of the month so many months before a day (YYYY-MM-DD). */
export function monthsBefore(day: string, months: number): string {
  const [year = 0, month = 1] = day.split('-').map(Number)
  return new Date(Date.UTC(year, month - 1 - months, 1)).toISOString().slice(0, 10)
}

/** Levels that lie below an area: digits of their codes. */
export const levelsBelow = (area: string): number[] => [6, 9, 12, 17].filter((digits) => digits > area.length)

/** What is wrong with a filter, and where: characters count from 1, as the service counts them. */
export interface Fault {
  position: number
  before: string
  at: string
  after: string
}

/** Splits a filter at the character the service stopped at; what follows up to the next space is what it means. */
export function faultAt(filter: string, position: number): Fault | null {
  if (!Number.isInteger(position) || position < 1) return null
  const start = Math.min(position - 1, filter.length)
  const word = /^\S*/.exec(filter.slice(start))?.[0] ?? ''
  const at = word || filter.slice(start, start + 1)
  return { position, before: filter.slice(0, start), at, after: filter.slice(start + at.length) }
}
