/** Arrows from a task to those that wait for it. Pure; x as a share of the axis (0 to 1), rows counted from 0. */
import { share, type Range } from './axis'
import type { Lane } from './spans'

export interface Arrow {
  key: string
  fromRow: number
  toRow: number
  x1: number
  x2: number
  /** Both ends on the critical path. */
  critical: boolean
  /** The first task still runs: the arrow is a promise. */
  pending: boolean
}

/** When the waiting of a lane ended, or now while it waits. */
function startOf(lane: Lane): number {
  const [first, second] = lane.spans
  if (first?.kind !== 'waiting') return first?.from ?? lane.from
  return second?.from ?? first.to
}

export function arrowsOf(lanes: Lane[], range: Range): Arrow[] {
  const rows = new Map(lanes.map((lane, row) => [lane.task.taskId ?? '', row]))
  return lanes.flatMap((lane, toRow) =>
    (lane.task.after ?? []).flatMap((id) => {
      const fromRow = rows.get(id)
      const before = fromRow === undefined ? undefined : lanes[fromRow]
      if (fromRow === undefined || !before) return []
      const pending = before.spans.at(-1)?.open ?? false
      const x1 = share(Math.min(before.to, startOf(lane)), range)
      return [{ key: `${id}>${lane.task.taskId}`, fromRow, toRow, x1, x2: share(startOf(lane), range), critical: before.critical && lane.critical, pending }]
    }),
  )
}

/** SVG path in px: out of the end of the upper bar, down (or up) to the edge of the lower one, with room for an arrow head. */
export function arrowPath(arrow: Arrow, width: number, rowHeight: number, barTop: number, barHeight: number): string {
  const down = arrow.toRow > arrow.fromRow
  const x1 = Math.min(width - 2, Math.max(1, arrow.x1 * width))
  const x2 = Math.min(width - 2, Math.max(1, arrow.x2 * width)) + 1
  const y1 = arrow.fromRow * rowHeight + barTop + (down ? barHeight : 0)
  const y2 = arrow.toRow * rowHeight + barTop + (down ? -4 : barHeight + 4)
  if (Math.abs(x2 - x1) < 4) return `M${x2} ${y1}V${y2}`
  const middle = down ? y1 + 6 : y1 - 6
  return `M${x1} ${y1}V${middle}H${x2}V${y2}`
}
