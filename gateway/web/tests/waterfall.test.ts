import { describe, expect, it } from 'vitest'
import { busyStretches, firstFold, lastEnd, rowsOf, scaleOf, shortName, traceIdOf, visibleRows, type TraceSpan } from '@/trace/waterfall'

const T0 = 1_767_000_000_000n
const span = (spanId: string, parentSpanId: string, start: number, end: number, status = 'OK'): TraceSpan => ({
  traceId: 't', spanId, parentSpanId, name: spanId, service: 'mediation',
  startUnixNano: String((T0 + BigInt(start)) * 1_000_000n), endUnixNano: String((T0 + BigInt(end)) * 1_000_000n), status,
})

describe('waterfall', () => {
  const spans = [span('late', 'root', 8, 9), span('root', '', 0, 10), span('child', 'root', 1, 5), span('leaf', 'child', 2, 3, 'ERROR'), span('orphan', 'gone', 20, 30)]
  const rows = rowsOf(spans)

  it('puts every span under its parent, by start, and orphans at the top', () => {
    expect(rows.map((row) => [row.span.spanId, row.depth, row.start, row.end])).toEqual([
      ['root', 0, 0, 10], ['child', 1, 1, 5], ['leaf', 2, 2, 3], ['late', 1, 8, 9], ['orphan', 0, 20, 30],
    ])
    expect(rows.map((row) => row.below)).toEqual([3, 1, 0, 0, 0])
  })

  it('hides what is under a collapsed span', () => {
    expect(visibleRows(rows, new Set(['child'])).map((row) => row.span.spanId)).toEqual(['root', 'child', 'late', 'orphan'])
    expect(visibleRows(rows, new Set(['root']))).toHaveLength(2)
  })

  it('folds a long trace, but not where an error is', () => {
    expect(firstFold(rows, 3)).toEqual(new Set())
    expect(firstFold(rowsOf([span('root', '', 0, 10), span('child', 'root', 1, 5), span('leaf', 'child', 2, 3)]), 2)).toEqual(new Set(['child']))
  })

  it('cuts idle time out of the scale', () => {
    const long = rowsOf([span('a', '', 0, 10), span('b', '', 3_600_000, 3_600_010)])
    expect(busyStretches(long)).toEqual([{ from: 0, to: 10 }, { from: 3_600_000, to: 3_600_010 }])
    const cut = scaleOf(long, true)
    expect(cut.cuts).toHaveLength(1)
    expect(cut.cuts[0]?.idle).toBe(3_599_990)
    expect([cut.at(0), cut.at(3_600_010)]).toEqual([0, 1])
    expect(cut.at(10)).toBeCloseTo(0.4875)
    expect(scaleOf(long, false).at(10)).toBeLessThan(0.00001)
  })

  it('takes a stream that was held open for no work', () => {
    const watched = rowsOf([span('stream', '', 0, 60_000), span('a', 'stream', 0, 10), span('b', 'stream', 50_000, 50_010)])
    expect(busyStretches(watched)).toEqual([{ from: 0, to: 10 }, { from: 50_000, to: 50_010 }])
    expect(lastEnd(watched)).toBe(60_000)
  })

  it('shortens the names of rpcs only', () => {
    expect(shortName('binglian.fire_safety.v1.InspectionService/GetInspection')).toBe('InspectionService/GetInspection')
    expect(shortName('process mediation.task_accepted.v1')).toBe('process mediation.task_accepted.v1')
  })

  it('reads the trace id of a traceparent', () => {
    expect(traceIdOf('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')).toBe('0af7651916cd43dd8448eb211c80319c')
    expect(traceIdOf(undefined)).toBe('')
  })
})
