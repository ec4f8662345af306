/** The time axis of a timeline or a trace: range, scale and ticks. Pure; times in ms. */

export interface Range {
  from: number
  to: number
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS = [
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY,
]
/** Asia/Shanghai has no summer time: days begin at 16:00 UTC all year. */
const ZONE_OFFSET = 8 * HOUR

/** Distance between ticks so that at most `most` of them fall into the range. */
export function tickStep(range: Range, most: number): number {
  const span = range.to - range.from
  return STEPS.find((step) => span / step <= most) ?? (STEPS.at(-1) as number)
}

/** Ticks on full seconds, minutes, hours or days of Asia/Shanghai. */
export function ticksOf(range: Range, step: number): number[] {
  const first = Math.ceil((range.from + ZONE_OFFSET) / step) * step - ZONE_OFFSET
  const count = Math.max(0, Math.floor((range.to - first) / step) + 1)
  return Array.from({ length: count }, (_, place) => first + place * step)
}

/** Where a time lies in the range: 0 at its start, 1 at its end; beyond, clipped to 0 and 1. */
export function share(time: number, range: Range): number {
  const span = range.to - range.from
  return span > 0 ? Math.min(1, Math.max(0, (time - range.from) / span)) : 0
}

/** Left and width of a stretch of time, as CSS percentages; a stretch too short to see keeps 2 px by its own min-width. */
export function stretch(from: number, to: number, range: Range): { left: string; width: string } {
  const left = share(from, range)
  return { left: `${left * 100}%`, width: `${(share(to, range) - left) * 100}%` }
}
