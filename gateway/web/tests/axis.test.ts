import { describe, expect, it } from 'vitest'
import { share, stretch, tickStep, ticksOf } from '@/timeline/axis'
import { arrowPath, arrowsOf } from '@/timeline/arrows'
import { compare } from '@/timeline/serial'
import type { Lane } from '@/timeline/spans'

const HOUR = 3_600_000

describe('axis', () => {
  it('chooses the finest step that leaves room for labels', () => {
    expect(tickStep({ from: 0, to: 42_000 }, 10)).toBe(5_000)
    expect(tickStep({ from: 0, to: 30 * HOUR }, 8)).toBe(6 * HOUR)
  })

  it('puts day ticks on midnight in Asia/Shanghai', () => {
    const from = Date.parse('2026-03-05T02:00:00Z')
    const ticks = ticksOf({ from, to: from + 60 * HOUR }, 24 * HOUR)
    expect(ticks.map((tick) => new Date(tick).toISOString())).toEqual(['2026-03-05T16:00:00.000Z', '2026-03-06T16:00:00.000Z'])
  })

  it('clips what lies outside, and survives an empty range', () => {
    expect(share(-5, { from: 0, to: 10 })).toBe(0)
    expect(share(5, { from: 3, to: 3 })).toBe(0)
    expect(stretch(5, 50, { from: 0, to: 20 })).toEqual({ left: '25%', width: '75%' })
  })
})

const lane = (taskId: string, from: number, to: number, extra: Partial<Lane['task']> = {}, waiting = 0): Lane => ({
  task: { taskId, department: taskId, state: 'TASK_STATE_DONE', ...extra },
  spans: [
    ...(waiting ? [{ kind: 'waiting' as const, from: from - waiting, to: from, open: false }] : []),
    { kind: 'working' as const, from, to, open: false },
  ],
  marks: [], from: from - waiting, to, dueAt: Number.NaN, acceptDueAt: Number.NaN, critical: false,
})

describe('serial counterfactual', () => {
  const lanes = [lane('b', 10, 30), lane('lead', 10, 20, { role: 'TASK_ROLE_LEAD' }), lane('c', 30, 45, {}, 20)]

  it('lays own times one behind the other, the lead first, without the waiting', () => {
    const found = compare(lanes, null, 0, 10, 45)
    expect(found?.ghosts.map(({ department, from, to }) => [department, from, to])).toEqual([['lead', 10, 20], ['b', 20, 40], ['c', 40, 55]])
    expect(found).toMatchObject({ actual: 45, serial: 55 })
  })

  it('prefers the ledger once it has the figures', () => {
    const ledger = { actualMinutes: 1, serialMinutes: 4, tasks: [{ department: 'lead', waitingMinutes: 1, workingMinutes: 1 }, { department: 'b', workingMinutes: 1 }] }
    expect(compare(lanes, ledger, 0, 0, 0)).toMatchObject({ actual: 60_000, serial: 240_000, saved: 0.75 })
  })

  it('has nothing to say of one department or before the dispatch', () => {
    expect(compare([lanes[0] as Lane], null, 0, 0, 9)).toBeNull()
    expect(compare(lanes, null, 0, Number.NaN, 9)).toBeNull()
  })
})

describe('arrows', () => {
  it('go from the end of one task to the start of the next', () => {
    const [arrow] = arrowsOf([lane('a', 0, 40), lane('b', 50, 90, { after: ['a'] }, 50)], { from: 0, to: 100 })
    expect(arrow).toMatchObject({ fromRow: 0, toRow: 1, x1: 0.4, x2: 0.5, pending: false })
    expect(arrowPath(arrow as NonNullable<typeof arrow>, 1000, 40, 10, 20)).toBe('M400 30V36H501V46')
  })

  it('ignore a task that is not there', () => {
    expect(arrowsOf([lane('b', 50, 90, { after: ['gone'] })], { from: 0, to: 100 })).toEqual([])
  })
})
