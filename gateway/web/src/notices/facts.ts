/** What a notice says beside its kind and its case; pure. */
import type { Notice, NoticeKind } from '@/generated/contract'

export interface Fact {
  /** Key in the catalogue. */
  key: string
  /** What it is filled with. */
  values: Record<string, string>
}

/** The verdict of a ruling or a check, and the clock that turned. */
export function factsOf(notice: Notice, clockName: (clock: string) => string): Fact[] {
  if (notice.over) return [{ key: 'notice.over', values: {} }]
  switch (notice.kind) {
    case 'NOTICE_KIND_YELLOW':
      return [{ key: 'notice.clockYellow', values: { clock: clockName(notice.clock ?? 'CLOCK_KIND_UNSPECIFIED') } }]
    case 'NOTICE_KIND_RED':
      return [{ key: 'notice.clockRed', values: { clock: clockName(notice.clock ?? 'CLOCK_KIND_UNSPECIFIED') } }]
    case 'NOTICE_KIND_RULED':
      return [{ key: notice.positive ? 'case.upheld' : 'case.overruled', values: {} }]
    case 'NOTICE_KIND_DECIDED':
      return [{ key: notice.positive ? 'notice.granted' : 'notice.notGranted', values: {} }]
    case 'NOTICE_KIND_VERIFIED':
      return [{ key: notice.positive ? 'case.passed' : 'case.failed', values: {} }]
    default:
      return []
  }
}

/** Page on which somebody sees to what a notice tells. */
export function pageOf(notice: Notice): string {
  // A life event has a page of its own; alerts and checks are seen to in their lists.
  if (notice.kind === 'NOTICE_KIND_LIFE_EVENT' && notice.aboutId) return `/people/events/${notice.aboutId}`
  return (notice.kind && REGISTER[notice.kind]) || `/cases/${notice.caseId}`
}

const REGISTER: Partial<Record<NoticeKind, string>> = {
  NOTICE_KIND_WELFARE: '/people/welfare',
  NOTICE_KIND_LIFE_EVENT: '/people/events',
  NOTICE_KIND_FIELD_CHECK: '/people/collection',
  NOTICE_KIND_CONFLICT: '/people/collection/conflicts',
  NOTICE_KIND_AUDIT: '/people/audit/alerts',
}

/** Colour of a notice: lights keep theirs, a failed check and a refusal are as grave as a red light; what is another's now has none. */
export function toneOf(notice: Notice): 'red' | 'yellow' | 'plain' {
  const kind = notice.kind ?? 'NOTICE_KIND_UNSPECIFIED'
  if (notice.over) return 'plain'
  if (GRAVE.has(kind) || (kind === 'NOTICE_KIND_VERIFIED' && !notice.positive)) return 'red'
  return ASKING.has(kind) ? 'yellow' : 'plain'
}

const GRAVE = new Set<NoticeKind>(['NOTICE_KIND_RED', 'NOTICE_KIND_REJECTED', 'NOTICE_KIND_RETURNED', 'NOTICE_KIND_SUPERVISED', 'NOTICE_KIND_ESCALATED', 'NOTICE_KIND_WELFARE', 'NOTICE_KIND_AUDIT'])
const ASKING = new Set<NoticeKind>(['NOTICE_KIND_YELLOW', 'NOTICE_KIND_OBJECTED', 'NOTICE_KIND_REQUESTED', 'NOTICE_KIND_INCOMPLETE', 'NOTICE_KIND_REPLIED'])

const DAY = 1440

/** A shift of the roster as people write it: 22:00–06:00; '' for around the clock. */
export function shiftText(from: number | undefined, until: number | undefined): string {
  const [begin, end] = [(from ?? 0) % DAY, (until ?? 0) % DAY]
  return begin === end ? '' : `${clock(begin)}–${clock(end)}`
}

const clock = (minute: number): string => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`

/** Minutes after midnight of "HH:MM"; 0 when that is no time. */
export function minuteOf(text: string): number {
  const found = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text)
  return found ? Number(found[1]) * 60 + Number(found[2]) : 0
}
