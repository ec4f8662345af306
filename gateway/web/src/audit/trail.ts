/** What the audit trail is searched for, and how alerts and retention are told. Pure. */
import { instantOf } from '@/forms/fields'
import type { AuditAlert, ListDataAuditEntriesRequest, RetentionRun } from '@/generated/contract'

export interface Wanted {
  subject: string
  event: string
  resident: string
  area: string
  /** As pickers of times give them: YYYY-MM-DDTHH:MM in Asia/Shanghai. */
  since: string
  before: string
}

export const NOTHING: Wanted = { subject: '', event: '', resident: '', area: '', since: '', before: '' }

/** Filters that were filled in; times as instants. */
export function toRequest({ subject, event, resident, area, since, before }: Wanted): ListDataAuditEntriesRequest {
  const wanted = { subject: subject.trim(), event, residentId: resident.trim(), areaPrefix: area, since: since && instantOf(since), before: before && instantOf(before) }
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value))
}

/** A window of seconds in the largest unit that fits it. */
export function windowOf(seconds: number): { unit: 'days' | 'hours' | 'minutes'; n: number } {
  if (seconds >= 86_400) return { unit: 'days', n: Math.round(seconds / 86_400) }
  return seconds >= 3_600 ? { unit: 'hours', n: Math.round(seconds / 3_600) } : { unit: 'minutes', n: Math.max(1, Math.round(seconds / 60)) }
}

export const isOpen = (alert: AuditAlert): boolean => alert.state === 'AUDIT_ALERT_STATE_OPEN'

/** Seconds a run took; NaN while it goes on. */
export const tookOf = (run: RetentionRun): number => (run.endedAt ? (Date.parse(run.endedAt) - Date.parse(run.startedAt ?? run.endedAt)) / 1_000 : Number.NaN)

/** The newest run of each rule; runs come newest first. */
export function lastRuns(runs: readonly RetentionRun[]): Map<string, RetentionRun> {
  const last = new Map<string, RetentionRun>()
  for (const run of runs) if (!last.has(run.rule ?? '')) last.set(run.rule ?? '', run)
  return last
}
