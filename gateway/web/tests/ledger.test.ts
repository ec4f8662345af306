import { describe, expect, it } from 'vitest'
import type { Palette } from '@/board/charts'
import type { Case, CaseLedger, CategoryComparison } from '@/generated/contract'
import { comparisonOption, holdersOption, type Words } from '@/ledger/charts'
import { comparedRows, holdersOf, inUnit, monthOf, savedShare, unitOf } from '@/ledger/figures'
import { lightOf } from '@/model/lights'
import { compare } from '@/timeline/serial'
import { lanesOf } from '@/timeline/spans'
import { sentencesOf } from '@/timeline/explanations'

const T0 = Date.parse('2026-03-05T06:00:00Z')
const iso = (seconds: number): string => new Date(T0 + seconds * 1_000).toISOString()
const palette = { lanes: {} } as Palette
const words: Words = { actual: 'actual', serial: 'serial', waiting: 'waiting', working: 'working', suspended: 'suspended', other: 'other' }

describe('units', () => {
  it('give numbers that are easily read', () => {
    expect(unitOf([5_000]).name).toBe('day')
    expect(unitOf([200, 12]).name).toBe('hour')
    expect(unitOf([4]).name).toBe('minute')
    expect(unitOf([0.5]).name).toBe('second')
    expect(unitOf([]).name).toBe('second')
    expect(inUnit(100, { size: 60, name: 'hour' })).toBe(1.7)
  })

  it('count months in Shanghai', () => {
    expect([monthOf(Date.parse('2026-03-31T15:59:59Z')), monthOf(Date.parse('2026-03-31T16:00:00Z'))]).toEqual(['2026-03', '2026-04'])
  })
})

describe('the comparison', () => {
  const row = (category: string, actual: number, serial: number, parallelCases = '2'): CategoryComparison => ({
    category, cases: '3', parallelCases, medianActualMinutes: actual, medianSerialMinutes: serial, medianSavedMinutes: serial - actual,
  })

  it('shows categories with parallel cases, the largest saving first', () => {
    const rows = comparedRows([row('A', 60, 90), row('B', 60, 600), row('C', 1, 1, '0')])
    expect(rows.map(({ category }) => category)).toEqual(['B', 'A'])
    expect(savedShare(row('B', 60, 600))).toBeCloseTo(0.9)
    expect(savedShare(row('A', 60, 60))).toBe(0)
  })

  it('draws what is modelled hollow and dashed', () => {
    const option = comparisonOption([row('A', 120, 240)], (code) => code, words, String, { size: 60, name: 'hour' }, 'hours', palette, false)
    const [serial, actual] = option.series as { name: string; data: number[]; itemStyle: { color: string; borderType?: string } }[]
    expect([serial?.name, serial?.data, serial?.itemStyle.color, serial?.itemStyle.borderType]).toEqual(['serial', [4], 'transparent', 'dashed'])
    expect([actual?.name, actual?.data]).toEqual(['actual', [2]])
  })
})

describe('whose minutes', () => {
  const rows = [
    { kind: 'STEP_KIND_DISPATCH' as const, minutes: 10 },
    { kind: 'STEP_KIND_TASK' as const, department: 'PSB', minutes: 30, waitingMinutes: 5, workingMinutes: 15, suspendedMinutes: 10 },
  ]

  it('are split and shared, the largest first', () => {
    const [psb, dispatch] = holdersOf(rows)
    expect(psb).toMatchObject({ department: 'PSB', share: 0.75, waiting: 5, working: 15, suspended: 10, other: 0 })
    expect(dispatch).toMatchObject({ department: '', share: 0.25, other: 10 })
  })

  it('leave out parts nobody has', () => {
    const option = holdersOption(holdersOf(rows.slice(0, 1)), () => 'x', words, String, { size: 1, name: 'minute' }, 'min', palette, true)
    expect((option.series as { name: string }[]).map(({ name }) => name)).toEqual(['other'])
  })
})

describe('a suspended case', () => {
  const item: Case = {
    dispatchedAt: iso(0), suspension: { at: iso(20), resumedAt: iso(50) },
    steps: [{ at: iso(10), verb: 'accept_task', taskId: 'a' }],
    tasks: [{ taskId: 'a', state: 'TASK_STATE_ACCEPTED' }, { taskId: 'b', state: 'TASK_STATE_WAITING', after: ['a'] }],
  }
  const short = (now: number, of: Case = item) => lanesOf(of, T0 + now * 1_000).map((lane) => lane.spans.map((span) => [span.kind, (span.from - T0) / 1_000, (span.to - T0) / 1_000, span.open]))

  it('stands still in every lane, whatever it was at', () => {
    expect(short(70)).toEqual([
      [['assigned', 0, 10, false], ['working', 10, 20, false], ['suspended', 20, 50, false], ['working', 50, 70, true]],
      [['waiting', 0, 20, false], ['suspended', 20, 50, false], ['waiting', 50, 70, true]],
    ])
  })

  it('grows as long as it lasts', () => {
    expect(short(30, { ...item, suspension: { at: iso(20) } })[0]?.at(-1)).toEqual(['suspended', 20, 30, true])
  })

  it('counts its standstill once the serial way, and for no department', () => {
    const lanes = lanesOf({ ...item, tasks: [{ taskId: 'a', state: 'TASK_STATE_ACCEPTED' }, { taskId: 'c', state: 'TASK_STATE_ASSIGNED' }] }, T0 + 70_000)
    const found = compare(lanes, null, T0, T0, T0 + 70_000, 30_000)
    expect(found?.ghosts.map((ghost) => ghost.to - ghost.from)).toEqual([40_000, 40_000])
    expect([found?.actual, found?.serial]).toEqual([70_000, 110_000])
  })

  it('is measured by its ledger once there is one', () => {
    const ledger: CaseLedger = { actualMinutes: 2, serialMinutes: 5, tasks: [] }
    expect(compare(lanesOf(item, T0), ledger, T0, T0, T0)).toMatchObject({ actual: 120_000, serial: 300_000, saved: 0.6 })
  })

  it('keeps the light its clocks had', () => {
    const clock = { yellowAt: iso(5), dueAt: iso(10), pausedAt: iso(6) }
    expect(lightOf(clock, T0 + 99_000)).toBe('LIGHT_YELLOW')
  })
})

describe('explanations', () => {
  it('are those of the task, in the language of the page, with what happened since', () => {
    const known = [
      { taskId: 'a', zh: '周二到期', en: 'due Tue', changes: [{ zh: '开始', en: 'started', dueAt: iso(9) }, { zh: '已延期', en: 'extended', dueAt: iso(10) }, { zh: '完成', en: 'met' }] },
      { taskId: '', zh: '事件', en: 'case' },
    ]
    expect(sentencesOf(known, 'a', 'zh')).toEqual([{ clock: 'CLOCK_KIND_UNSPECIFIED', text: '周二到期', change: '已延期' }])
    expect(sentencesOf(known, '', 'en')).toEqual([{ clock: 'CLOCK_KIND_UNSPECIFIED', text: 'case', change: '' }])
  })
})
