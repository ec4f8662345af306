/** A trace as rows of a waterfall. Pure. Times in ms from the start of the trace; a case's trace may last for days. */

/** A span as the gateway gives it (`GET /v1/traces/{trace_id}`). */
export interface TraceSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  service: string
  startUnixNano: string
  endUnixNano: string
  attributes?: Record<string, unknown>
  status?: string
}

export interface Row {
  span: TraceSpan
  depth: number
  start: number
  end: number
  children: number
  /** Spans below it, all levels. */
  below: number
  error: boolean
}

/** Trace id of a W3C traceparent; empty when there is none. */
export function traceIdOf(traceparent: string | undefined): string {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent ?? '')?.[1] ?? ''
}

export const isError = (span: TraceSpan): boolean => /error/i.test(span.status ?? '')

/** Rows in drawing order: every span under its parent, siblings by start; spans whose parent is unknown stand at the top. */
export function rowsOf(spans: TraceSpan[]): Row[] {
  const origin = spans.reduce((first, span) => (BigInt(span.startUnixNano) < first ? BigInt(span.startUnixNano) : first), BigInt(spans[0]?.startUnixNano ?? 0))
  const time = (nano: string): number => Number(BigInt(nano) - origin) / 1e6
  const known = new Set(spans.map((span) => span.spanId))
  const children = new Map<string, TraceSpan[]>()
  for (const span of spans) {
    const parent = span.parentSpanId && known.has(span.parentSpanId) ? span.parentSpanId : ''
    children.set(parent, [...(children.get(parent) ?? []), span])
  }
  const rows: Row[] = []

  function add(span: TraceSpan, depth: number): number {
    const own = sorted(children.get(span.spanId))
    const row: Row = { span, depth, start: time(span.startUnixNano), end: time(span.endUnixNano), children: own.length, below: 0, error: isError(span) }
    rows.push(row)
    row.below = own.reduce((sum, child) => sum + 1 + add(child, depth + 1), 0)
    return row.below
  }

  sorted(children.get('')).forEach((span) => add(span, 0))
  return rows
}

const sorted = (spans: TraceSpan[] = []): TraceSpan[] => spans.toSorted((one, other) => (BigInt(one.startUnixNano) < BigInt(other.startUnixNano) ? -1 : 1))

/** Rows without those under a collapsed one. */
export function visibleRows(rows: Row[], collapsed: Set<string>): Row[] {
  const shown: Row[] = []
  for (let place = 0; place < rows.length; place += 1) {
    const row = rows[place] as Row
    shown.push(row)
    if (collapsed.has(row.span.spanId)) place += row.below
  }
  return shown
}

/** What is folded at first: of a long trace, everything below the first level that holds no error. */
export function firstFold(rows: Row[], most = 120): Set<string> {
  if (rows.length <= most) return new Set()
  const foldable = rows.filter((row, place) => row.children > 0 && row.depth >= 1 && !rows.slice(place, place + row.below + 1).some((below) => below.error))
  return new Set(foldable.map((row) => row.span.spanId))
}

export interface Stretch {
  from: number
  to: number
}

/** A scale that gives idle time between activity a small fixed width: days between two steps leave milliseconds readable. */
export interface Scale {
  at(time: number): number
  /** Idle stretches that were cut, with the place (0 to 1) they are drawn at. */
  cuts: { place: number; width: number; idle: number }[]
}

const CUT_SHARE = 0.22
const WIDEST_CUT = 0.025

/** A stream that was held open is no work: it lasts a second at least, and a hundred times as long as most spans. */
function withoutStreams(rows: Row[]): Row[] {
  const lengths = rows.map((row) => row.end - row.start).sort((one, other) => one - other)
  const longest = Math.max(1_000, 100 * (lengths[Math.floor(lengths.length / 2)] ?? 0))
  const work = rows.filter((row) => row.end - row.start < longest)
  return work.length ? work : rows
}

/** Stretches in which at least one span worked. */
export function busyStretches(rows: Row[]): Stretch[] {
  const busy: Stretch[] = []
  for (const { start, end } of withoutStreams(rows).toSorted((one, other) => one.start - other.start)) {
    const last = busy.at(-1)
    if (last && start <= last.to) last.to = Math.max(last.to, end)
    else busy.push({ from: start, to: end })
  }
  return busy
}

/** Joins stretches whose gap is shorter than `least`. */
function joined(busy: Stretch[], least: number): Stretch[] {
  const kept: Stretch[] = []
  for (const stretch of busy) {
    const last = kept.at(-1)
    if (last && stretch.from - last.to < least) last.to = stretch.to
    else kept.push({ ...stretch })
  }
  return kept
}

export function scaleOf(rows: Row[], compress: boolean): Scale {
  const busy = busyStretches(rows)
  const length = busy.reduce((sum, { from, to }) => sum + to - from, 0)
  const parts = compress ? joined(busy, Math.max(length * 0.25, 1)) : [{ from: 0, to: Math.max(lastEnd(rows), 0.001) }]
  const cutWidth = parts.length > 1 ? Math.min(WIDEST_CUT, CUT_SHARE / (parts.length - 1)) : 0
  const drawn = parts.reduce((sum, { from, to }) => sum + to - from, 0) || 1
  const room = 1 - cutWidth * (parts.length - 1)
  const starts: number[] = []
  parts.reduce((place, { from, to }) => (starts.push(place), place + ((to - from) / drawn) * room + cutWidth), 0)
  const cuts = parts.slice(1).map((part, place) => ({ place: (starts[place + 1] ?? 0) - cutWidth, width: cutWidth, idle: part.from - (parts[place]?.to ?? 0) }))
  return { at: (time) => placeOf(time, parts, starts, room / drawn), cuts }
}

/** End of the last span, streams included. */
export const lastEnd = (rows: Row[]): number => rows.reduce((last, row) => Math.max(last, row.end), 0)

/** Name of a span without the package of its rpc: TaskService/AcceptTask. */
export const shortName = (name: string): string => name.replace(/^(?:[a-z_]+\.)*v\d+\.(?=[A-Z])/, '')

function placeOf(time: number, parts: Stretch[], starts: number[], perMs: number): number {
  const found = parts.findLastIndex((part) => time >= part.from)
  const part = parts[Math.max(0, found)]
  if (!part) return 0
  const inside = Math.min(Math.max(time, part.from), part.to) - part.from
  return (starts[Math.max(0, found)] ?? 0) + inside * perMs
}

const PALETTE = ['#2f7f98', '#7a6fb0', '#b07a2a', '#4f9a77', '#b3627c', '#5c7cc0', '#8a8f3a', '#a0643f', '#6c8a94', '#3f9a9a']

/** A colour for every service, the same on every visit. */
export function serviceColours(rows: Row[]): Map<string, string> {
  const services = [...new Set(rows.map((row) => row.span.service))].sort()
  return new Map(services.map((service, place) => [service, PALETTE[place % PALETTE.length] as string]))
}
