/** What the page of mediation figures reckons: the periods to choose from, and shares. Pure. */
import type { DisputeCounts } from '@/generated/contract'

const SHANGHAI_MS = 8 * 3_600_000

/** This year, its quarters so far with the newest first, and last year, as the service names them; `now` in ms. */
export function periodsAt(now: number): string[] {
  const local = new Date(now + SHANGHAI_MS)
  const year = local.getUTCFullYear()
  const quarter = Math.floor(local.getUTCMonth() / 3) + 1
  const quarters = Array.from({ length: quarter }, (_, place) => `${year}-Q${quarter - place}`)
  return [String(year), ...quarters, String(year - 1)]
}

/** Counts come as decimal strings, and not at all where they are 0. */
export const countOf = (counts: DisputeCounts | undefined, name: keyof DisputeCounts): number => Number(counts?.[name] ?? 0)

/** Share of what came to a result that was resolved, in whole percent; null where nothing came to one. */
export function resolvedShare(counts: DisputeCounts | undefined): number | null {
  const decided = countOf(counts, 'decided')
  return decided ? Math.round((countOf(counts, 'resolved') / decided) * 100) : null
}
