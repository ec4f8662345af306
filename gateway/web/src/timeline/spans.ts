/** What one department did when: a task and the diary of its case become spans on a time axis. Pure; times in ms since 1970. */
import type { Case, Clock, ClockKind, Step, Task } from '@/generated/contract'
import { at } from '@/model/lights'
import { isOpenTask } from '@/model/workflow'

export type SpanKind = 'waiting' | 'assigned' | 'objected' | 'working' | 'rework' | 'suspended'

export interface Span {
  kind: SpanKind
  from: number
  to: number
  /** Still running: `to` is now. */
  open: boolean
  /** From here on it was past its limit; absent when it was not. */
  lateFrom?: number
}

export interface Mark {
  kind: 'progress' | 'done' | 'returned' | 'yellow'
  at: number
}

export interface Lane {
  task: Task
  spans: Span[]
  marks: Mark[]
  from: number
  to: number
  dueAt: number
  acceptDueAt: number
  critical: boolean
}

interface Turn {
  at: number
  kind: SpanKind | 'idle'
}

/** What a verb of the diary turns a task into; `rework` when it was done before. */
const TURNS: Record<string, SpanKind | 'idle'> = {
  start_task: 'assigned',
  accept_task: 'working',
  report_progress: 'working',
  object_task: 'objected',
  rule_objection: 'assigned',
  complete_task: 'idle',
  return_task: 'rework',
}

/** The clock of a kind that counts now: a returned task gets a new one behind the old. */
export function clockOf(clocks: Clock[] | undefined, kind: ClockKind): Clock | undefined {
  return clocks?.findLast((clock) => clock.kind === kind)
}

function turnsFromSteps(task: Task, steps: Step[]): Turn[] {
  const own = steps.filter((step) => step.taskId === task.taskId && TURNS[step.verb ?? ''])
  return own.map((step) => ({ at: at(step.at), kind: TURNS[step.verb ?? ''] ?? 'idle' }))
}

/** What the task's own fields tell, for the turns its diary does not have (lists come without steps). */
function turnsFromFields(task: Task, turns: Turn[]): Turn[] {
  const has = (kind: Turn['kind']): boolean => turns.some((turn) => turn.kind === kind)
  const objected = task.objection && !has('objected')
  return [
    { at: task.after?.length && !has('assigned') ? at(task.assignedAt) : Number.NaN, kind: 'assigned' as const },
    { at: objected ? at(task.objection?.at) : Number.NaN, kind: 'objected' as const },
    { at: objected ? at(task.objection?.ruledAt) : Number.NaN, kind: 'assigned' as const },
    { at: has('working') ? Number.NaN : at(task.acceptedAt), kind: 'working' as const },
    { at: has('idle') ? Number.NaN : at(task.doneAt), kind: 'idle' as const },
  ].filter((turn) => !Number.isNaN(turn.at))
}

/** A failed check on site reopens tasks without naming them in the diary: the step that put the case into rework tells when. */
function failedCheck(task: Task, steps: Step[], turns: Turn[]): Turn[] {
  const last = turns.at(-1)
  if (!task.returns || !isOpenTask(task.state) || last?.kind !== 'idle') return []
  const check = steps.findLast((step) => step.verb === 'verify_case' && at(step.at) >= last.at)
  return check ? [{ at: at(check.at), kind: 'rework' }] : []
}

function turnsOf(task: Task, item: Case): Turn[] {
  const steps = item.steps ?? []
  const told = turnsFromSteps(task, steps)
  const turns = [...told, ...turnsFromFields(task, told)].sort((one, other) => one.at - other.at)
  return [...turns, ...failedCheck(task, steps, turns)]
}

/** Joins turns into spans. Once done, whatever follows is rework. */
function spansOf(start: number, first: SpanKind, turns: Turn[], end: number, open: boolean): Span[] {
  const spans: Span[] = []
  let kind: Turn['kind'] = first
  let from = start
  let reworked = false
  for (const turn of turns) {
    const next: Turn['kind'] = turn.kind === 'working' && reworked ? 'rework' : turn.kind
    reworked ||= next === 'idle'
    if (next === kind) continue
    if (kind !== 'idle' && turn.at > from) spans.push({ kind, from, to: turn.at, open: false })
    kind = next
    from = Math.max(from, turn.at)
  }
  if (kind !== 'idle' && end > from) spans.push({ kind, from, to: end, open })
  return spans
}

export interface Stretch {
  from: number
  to: number
}

/** When the case stood still: suspended time is neither waiting nor working, whoever has a task. */
export function standstillsOf(item: Case, now: number): Stretch[] {
  const from = at(item.suspension?.at)
  if (Number.isNaN(from)) return []
  const resumed = at(item.suspension?.resumedAt)
  return [{ from, to: Number.isNaN(resumed) ? now : resumed }]
}

/** Cuts standstills out of a span: what is left of it, and the standstills in between. */
function cut(span: Span, standstills: Stretch[]): Span[] {
  const [still] = standstills.filter(({ from, to }) => from < span.to && to > span.from && to > from)
  if (!still) return [span]
  const from = Math.max(span.from, still.from)
  const to = Math.min(span.to, still.to)
  const parts: Span[] = [
    { ...span, to: from, open: false },
    { kind: 'suspended', from, to, open: span.open && to === span.to },
    ...cut({ ...span, from: to }, standstills.filter((one) => one !== still)),
  ]
  return parts.filter((part) => part.to > part.from)
}

function withLateness(span: Span, dueAt: number, acceptDueAt: number): Span {
  const limit = span.kind === 'assigned' ? Math.min(acceptDueAt, Number.isNaN(dueAt) ? Infinity : dueAt) : dueAt
  const counts = !['waiting', 'objected', 'suspended'].includes(span.kind) && limit < span.to
  return counts ? { ...span, lateFrom: Math.max(span.from, limit) } : span
}

function marksOf(task: Task, spans: Span[], now: number): Mark[] {
  const yellow = at(clockOf(task.clocks, 'CLOCK_KIND_RESOLVE')?.yellowAt)
  const end = spans.at(-1)?.to ?? now
  return [
    ...(task.progress ?? []).map((note) => ({ kind: 'progress' as const, at: at(note.at) })),
    ...spans.filter((span) => span.kind === 'rework').slice(0, 1).map((span) => ({ kind: 'returned' as const, at: span.from })),
    ...(yellow <= end ? [{ kind: 'yellow' as const, at: yellow }] : []),
    ...(task.state === 'TASK_STATE_DONE' ? [{ kind: 'done' as const, at: at(task.doneAt) }] : []),
  ].filter((mark) => !Number.isNaN(mark.at))
}

/** End of a task's last span: now while it is open, else when it was done, taken out by a ruling, or the case was over. */
function endOf(task: Task, item: Case, now: number): number {
  if (isOpenTask(task.state)) return now
  const removed = task.objection?.upheld ? at(task.objection.ruledAt) : Number.NaN
  const over = [at(task.doneAt), removed, at(item.closedAt), at(item.handledAt)].find((time) => !Number.isNaN(time))
  return over ?? now
}

/** Start of a task's first span: the dispatch; for a task given to another department later, the moment that one got it. */
function startOf(task: Task, item: Case): number {
  const assigned = at(task.assignedAt)
  const dispatched = at(item.dispatchedAt)
  if (Number.isNaN(dispatched) || Number.isNaN(assigned) || task.after?.length) return Number.isNaN(dispatched) ? assigned : dispatched
  return Math.max(assigned, dispatched)
}

function laneOf(task: Task, item: Case, critical: Set<string>, now: number): Lane {
  const dueAt = at(clockOf(task.clocks, 'CLOCK_KIND_RESOLVE')?.dueAt)
  const acceptDueAt = at(clockOf(task.clocks, 'CLOCK_KIND_ACCEPT')?.dueAt)
  const start = startOf(task, item)
  const first = task.after?.length ? 'waiting' : 'assigned'
  const spans = spansOf(start, first, turnsOf(task, item), endOf(task, item, now), isOpenTask(task.state))
  const standstills = standstillsOf(item, now)
  const timed = spans.flatMap((span) => cut(span, standstills)).map((span) => withLateness(span, dueAt, acceptDueAt))
  return {
    task, spans: timed, marks: marksOf(task, timed, now), from: start, to: spans.at(-1)?.to ?? start,
    dueAt, acceptDueAt, critical: critical.has(task.taskId ?? ''),
  }
}

/** One lane for every task, in the order of the dispatch. */
export function lanesOf(item: Case, now: number): Lane[] {
  const critical = criticalTasks(item.tasks ?? [])
  return (item.tasks ?? []).map((task) => laneOf(task, item, critical, now))
}

/**
 * Tasks that decide when the case is handled: as the service says once it is; before that, the one task everybody waits for,
 * if there is just one, with the chain it waited for itself.
 */
export function criticalTasks(tasks: Task[]): Set<string> {
  const told = tasks.filter((task) => task.critical)
  if (told.length) return new Set(told.map((task) => task.taskId ?? ''))
  const open = tasks.filter((task) => isOpenTask(task.state))
  const ends = open.filter((task) => !open.some((other) => other.after?.includes(task.taskId ?? '')))
  const [end] = ends
  return ends.length === 1 && end && tasks.length > 1 ? new Set(chainTo(end, tasks)) : new Set()
}

function chainTo(end: Task, tasks: Task[]): string[] {
  const before = tasks.filter((task) => end.after?.includes(task.taskId ?? ''))
  const last = before.toSorted((one, other) => endTime(other) - endTime(one))[0]
  return [...(last ? chainTo(last, tasks) : []), end.taskId ?? '']
}

const endTime = (task: Task): number => (isOpenTask(task.state) ? Infinity : at(task.doneAt))
