import { describe, expect, it } from 'vitest'
import { bucketsOf, departmentLoads, entryOf, isNewer, laneAt, lanesOf, matches } from '@/board/entries'
import type { Case, Clock, Task } from '@/generated/contract'
import { caseLight, nextDue, taskLight, usedShare } from '@/model/lights'

const T0 = Date.parse('2026-03-05T06:00:00Z')
const iso = (minutes: number): string => new Date(T0 + minutes * 60_000).toISOString()
const time = (minutes: number): number => T0 + minutes * 60_000
const clock = (due: number, more: Partial<Clock> = {}): Clock => ({ kind: 'CLOCK_KIND_RESOLVE', startedAt: iso(0), yellowAt: iso(due * 0.7), dueAt: iso(due), ...more })
const task = (department: string, due: number, more: Partial<Task> = {}): Task => ({ taskId: department, department, state: 'TASK_STATE_ACCEPTED', clocks: [clock(due)], ...more })
const parallel = (more: Partial<Case> = {}): Case => ({ caseId: '1', revision: '3', state: 'CASE_STATE_PARALLEL', tasks: [task('FIRE', 100), task('UMD', 200)], ...more })

describe('lights', () => {
  it('turn at 70 % and at the limit of the clock that is worst', () => {
    const lights = [0, 69, 70, 99, 100].map((now) => caseLight(parallel(), time(now)))
    expect(lights).toEqual(['LIGHT_GREEN', 'LIGHT_GREEN', 'LIGHT_YELLOW', 'LIGHT_YELLOW', 'LIGHT_RED'])
  })

  it('ignore clocks that were met and tasks that are done', () => {
    const item = parallel({ tasks: [task('FIRE', 100, { state: 'TASK_STATE_DONE' }), task('UMD', 200, { clocks: [clock(10, { metAt: iso(5) }), clock(200)] })] })
    expect(caseLight(item, time(100))).toBe('LIGHT_GREEN')
    expect(caseLight({ ...item, state: 'CASE_STATE_CLOSED' }, time(999))).toBe('LIGHT_UNSPECIFIED')
  })

  it('keep for a done task what it was done under', () => {
    expect(taskLight(task('FIRE', 100, { state: 'TASK_STATE_DONE', clocks: [clock(100, { metAt: iso(80) })] }), time(999))).toBe('LIGHT_YELLOW')
  })

  it('count down to the clock that ends first', () => {
    expect(nextDue(parallel())?.department).toBe('FIRE')
    expect(nextDue(parallel({ clocks: [clock(50)] }))?.department).toBe('')
    expect(usedShare(clock(100), time(25))).toBe(0.25)
    expect(usedShare({}, time(25))).toBe(0)
  })
})

describe('board', () => {
  it('puts a case where its worst light says, and takes it away when it is over', () => {
    const lanes = [0, 70, 100].map((now) => laneAt(entryOf(parallel()), time(now)))
    expect(lanes).toEqual(['green', 'yellow', 'red'])
    expect(laneAt(entryOf(parallel({ state: 'CASE_STATE_HANDLED', tasks: [] })), time(0))).toBe('check')
    expect(laneAt(entryOf(parallel({ state: 'CASE_STATE_CLOSED' })), time(999))).toBeNull()
  })

  it('agrees with the light of the case at every moment', () => {
    const entry = entryOf(parallel({ clocks: [clock(140)] }))
    const names = { LIGHT_UNSPECIFIED: 'green', LIGHT_GREEN: 'green', LIGHT_YELLOW: 'yellow', LIGHT_RED: 'red' }
    for (let now = 0; now < 220; now += 1) expect(laneAt(entry, time(now))).toBe(names[caseLight(entry.item, time(now))])
  })

  it('shows the most urgent first', () => {
    const entries = [300, 120, 200].map((due) => entryOf(parallel({ caseId: String(due), tasks: [task('FIRE', due)] })))
    expect(lanesOf(entries, time(0)).green.map(({ item }) => item.caseId)).toEqual(['120', '200', '300'])
  })

  it('shows the last changed first when asked', () => {
    const entries = ['2026-03-05T06:00:01Z', '2026-03-05T06:00:03Z', '2026-03-05T06:00:02Z'].map((changedAt) => entryOf(parallel({ caseId: changedAt.slice(18, 19), changedAt })))
    expect(lanesOf(entries, time(0), 'newest').green.map(({ item }) => item.caseId)).toEqual(['3', '2', '1'])
  })

  it('takes newer revisions only, beyond what a double can hold', () => {
    const known = entryOf(parallel({ revision: '9007199254740993' }))
    expect(isNewer(parallel({ revision: '9007199254740993' }), known)).toBe(false)
    expect(isNewer(parallel({ revision: '9007199254740994' }), known)).toBe(true)
    expect(isNewer(parallel(), undefined)).toBe(true)
  })

  it('filters by area, department, state and text', () => {
    const entry = entryOf(parallel({ areaCode: '42050200100310001', number: '420502-2026-000123', description: '楼道堵塞' }))
    const filter = { text: '', area: '', department: '', state: '' }
    expect(matches(entry, { ...filter, area: '420502001' })).toBe(true)
    expect(matches(entry, { ...filter, area: '420503' })).toBe(false)
    expect(matches(entry, { ...filter, department: 'PSB' })).toBe(false)
    expect(matches(entry, { ...filter, state: 'CASE_STATE_PARALLEL', text: ' 000123 ' })).toBe(true)
    expect(matches(entry, { ...filter, text: '漏水' })).toBe(false)
  })

  it('counts open tasks by department and light', () => {
    const loads = departmentLoads([entryOf(parallel()), entryOf(parallel({ tasks: [task('FIRE', 10), task('UMD', 10, { state: 'TASK_STATE_DONE' })] }))], time(75))
    expect(loads).toEqual([{ department: 'FIRE', red: 1, yellow: 1, green: 0 }, { department: 'UMD', red: 0, yellow: 0, green: 1 }])
  })

  it('sorts times into buckets that end with the present one', () => {
    const buckets = bucketsOf([time(0), time(4), time(5), time(-30)], [time(11)], time(12), 300_000, 3)
    expect(buckets.map(({ reported, closed }) => [reported, closed])).toEqual([[2, 0], [1, 0], [0, 1]])
  })
})
