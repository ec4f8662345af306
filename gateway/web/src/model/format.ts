/** Times and durations as people read them. Times are shown in the zone of the service's clocks, Asia/Shanghai. */
import type { Language } from '@/i18n'

const ZONE = 'Asia/Shanghai'
const LOCALE: Record<Language, string> = { zh: 'zh-CN', en: 'en-GB' }
const cache = new Map<string, Intl.DateTimeFormat>()

function formatter(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options)
  const known = cache.get(key) ?? new Intl.DateTimeFormat(LOCALE[language], { timeZone: ZONE, hourCycle: 'h23', ...options })
  cache.set(key, known)
  return known
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' }
const SECONDS: Intl.DateTimeFormatOptions = { ...CLOCK, second: '2-digit' }
const DAY: Intl.DateTimeFormatOptions = { month: 'numeric', day: 'numeric' }

/** 3月5日 14:07:21 (or 14:07:21 today, with `now`). */
export function formatTime(time: number, language: Language, now = Number.NaN): string {
  if (Number.isNaN(time)) return ''
  const today = formatDay(time, language) === formatDay(now, language)
  const clock = formatter(language, SECONDS).format(time)
  return today ? clock : `${formatDay(time, language)} ${clock}`
}

/** 3月5日 */
export function formatDay(time: number, language: Language): string {
  return Number.isNaN(time) ? '' : formatter(language, language === 'zh' ? { month: 'long', day: 'numeric' } : { month: 'short', day: 'numeric' }).format(time)
}

/** 3月5日, with its year where that is another one than now's: 2027年3月5日. */
export function formatDate(time: number, language: Language, now: number): string {
  const year = (one: number): string => formatter(language, { year: 'numeric' }).format(one)
  if (Number.isNaN(time) || year(time) === year(now)) return formatDay(time, language)
  return formatter(language, { year: 'numeric', month: language === 'zh' ? 'long' : 'short', day: 'numeric' }).format(time)
}

/** The last day before a limit: one that ends at midnight ends with the day before. */
export const formatLastDay = (limit: number, language: Language, now: number): string => formatDate(limit - 1, language, now)

/** 2026年3月, Mar 2026; of an instant in UTC at the beginning of the month. */
export function formatMonth(time: number, language: Language): string {
  return new Intl.DateTimeFormat(LOCALE[language], { timeZone: 'UTC', year: 'numeric', month: language === 'zh' ? 'long' : 'short' }).format(time)
}

/** Label of an axis tick: as fine as the distance between two ticks (ms) needs. */
export function formatTick(time: number, step: number, language: Language): string {
  if (step >= 86_400_000) return formatter(language, DAY).format(time)
  if (step >= 60_000) return formatter(language, CLOCK).format(time)
  return formatter(language, SECONDS).format(time)
}

const UNITS: [number, Record<Language, string>][] = [
  [86_400_000, { zh: '天', en: 'd' }],
  [3_600_000, { zh: '小时', en: 'h' }],
  [60_000, { zh: '分', en: 'm' }],
  [1_000, { zh: '秒', en: 's' }],
]

/** The two largest units of a duration in ms: 3天4小时, 13分5秒; below 10 s with tenths; below 1 s in milliseconds. Rounded here, so that a figure reads the same wherever it stands. */
export function formatDuration(duration: number, language: Language): string {
  if (!Number.isFinite(duration)) return ''
  const exact = Math.abs(duration)
  if (exact < 999.5) return `${Math.round(exact)}${language === 'zh' ? '毫秒' : 'ms'}`
  if (exact < 9_950) return `${(exact / 1_000).toFixed(1)}${language === 'zh' ? '秒' : 's'}`
  const whole = Math.round(exact / 1_000) * 1_000
  const first = UNITS.findIndex(([size]) => whole >= size)
  let rest = whole
  const parts = UNITS.slice(first, first + 2).map(([size, name]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count ? `${count}${name[language]}` : ''
  })
  return parts.filter(Boolean).join(language === 'zh' ? '' : ' ')
}

/** How long ago: as `formatDuration`, without the seconds nobody needs after the first minute. */
export function formatAge(age: number, language: Language): string {
  return formatDuration(age < 60_000 ? Math.floor(age / 1_000) * 1_000 : age < 3_600_000 ? Math.floor(age / 60_000) * 60_000 : age, language)
}

/** Duration of a trace span, given in nanoseconds as a decimal string or number: 1.24 ms, 830 µs. */
export function formatSpan(milliseconds: number): string {
  if (milliseconds >= 1_000) return `${(milliseconds / 1_000).toFixed(2)} s`
  if (milliseconds >= 1) return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 1)} ms`
  return `${Math.round(milliseconds * 1_000)} µs`
}
