import { beforeAll, describe, expect, it, vi } from 'vitest'
import { CaseState, ClockKind, JoinPolicy, Light, routes, Severity, TaskRole, TaskState } from '@/generated/contract'
import en from '@/i18n/en'
import zh from '@/i18n/zh'
import { areaName, areaPath, short } from '@/model/areas'
import { codeName, codesOf, departmentChip } from '@/model/codes'
import { formatAge, formatDate, formatDuration, formatLastDay, formatSpan, formatTick, formatTime } from '@/model/format'
import { CASE_STATES, STEPS, stepStatus } from '@/model/workflow'
import { learnServerTime } from '@/model/now'
import { attachmentOf, pointFromText } from '@/model/position'
import { fillPath, queryOf } from '@/api/call'

vi.mock('@/i18n', () => ({}))

type Tree = { [key: string]: string | Tree }
const keys = (tree: Tree, path = ''): string[] => Object.entries(tree).flatMap(([key, value]) => (typeof value === 'string' ? [path + key] : keys(value, `${path}${key}.`)))

describe('words', () => {
  it('exist in both languages, under the same keys, and are not empty', () => {
    expect(keys(en as unknown as Tree)).toEqual(keys(zh as unknown as Tree))
    const blank = (tree: Tree): string[] => keys(tree).filter((key) => !/_UNSPECIFIED$/.test(key) && !key.split('.').reduce<string | Tree>((node, part) => (node as Tree)[part] ?? '', tree))
    expect([...blank(zh as unknown as Tree), ...blank(en as unknown as Tree)]).toEqual([])
  })

  it('name every value of the enums the pages show', () => {
    for (const catalogue of [zh, en]) {
      expect(Object.keys(catalogue.state)).toEqual(expect.arrayContaining([...CaseState]))
      expect(Object.keys(catalogue.taskState)).toEqual(expect.arrayContaining([...TaskState]))
      expect(Object.keys(catalogue.light)).toEqual(expect.arrayContaining([...Light]))
      expect(Object.keys(catalogue.severity)).toEqual(expect.arrayContaining([...Severity]))
      expect(Object.keys(catalogue.clock)).toEqual(expect.arrayContaining([...ClockKind]))
      expect(Object.keys(catalogue.join)).toEqual(expect.arrayContaining([...JoinPolicy]))
      expect(Object.keys(catalogue.role)).toEqual(expect.arrayContaining([...TaskRole]))
    }
  })

  it('place every state in one of the five steps', () => {
    expect(Object.keys(CASE_STATES)).toEqual(expect.arrayContaining([...CaseState]))
    expect(STEPS.map((step) => stepStatus(step, 'CASE_STATE_PARALLEL'))).toEqual(['done', 'done', 'current', 'ahead', 'ahead'])
    expect(STEPS.map((step) => stepStatus(step, 'CASE_STATE_CLOSED'))).toEqual(['done', 'done', 'done', 'done', 'ahead'])
    expect(STEPS.map((step) => stepStatus(step, 'CASE_STATE_REJECTED'))).toEqual(['done', 'stopped', 'ahead', 'ahead', 'ahead'])
  })
})

describe('codes', () => {
  it('carry the tables of the services', () => {
    expect(codeName('categories', 'A0204', 'zh')).toBe('公共部位占用堆物')
    expect(codeName('departments', 'FIRE', 'en')).toBe('Fire & rescue')
    expect(codeName('departments', 'NEWER', 'zh')).toBe('NEWER')
    expect(departmentChip('HOUSING', 'zh')).toBe('住房和城乡建设局')
    expect(codesOf('departments').length).toBeGreaterThan(30)
  })

  it('shorten the names of areas', () => {
    expect([short('土街头社区居民委员会'), short('东山花园社区居委会'), short('黄家棚村村民委员会'), short('西陵街道')]).toEqual(['土街头社区', '东山花园社区', '黄家棚村', '西陵街道'])
    expect(areaName('420502', 'zh')).toBe('420502')
    expect(areaPath('', 'zh')).toBe('')
  })
})

describe('numbers', () => {
  it('say durations in their two largest units', () => {
    expect(formatDuration(840, 'zh')).toBe('840毫秒')
    expect(formatDuration(3_240, 'en')).toBe('3.2s')
    expect(formatDuration(46_000, 'zh')).toBe('46秒')
    expect(formatDuration(785_000, 'zh')).toBe('13分5秒')
    expect(formatDuration(7_200_000, 'zh')).toBe('2小时')
    expect(formatDuration(-274_500_000, 'en')).toBe('3d 4h')
    expect(formatDuration(Number.NaN, 'zh')).toBe('')
    // Rounded, not cut: the same 13.6 s must not be 14 s in the timeline and 13 s in the ledger.
    expect(formatDuration(13_600, 'zh')).toBe('14秒')
    expect([formatDuration(999.7, 'en'), formatDuration(9_970, 'en'), formatDuration(59_600, 'en'), formatDuration(3_599_700, 'en')]).toEqual(['1.0s', '10s', '1m', '1h'])
    expect(formatAge(785_000, 'zh')).toBe('13分')
  })

  it('show times in Asia/Shanghai', () => {
    const time = Date.parse('2026-03-05T17:04:05Z')
    expect(formatTime(time, 'zh')).toBe('3月6日 01:04:05')
    expect(formatTime(time, 'zh', time + 60_000)).toBe('01:04:05')
    expect([formatDate(time, 'zh', time), formatDate(time, 'zh', time + 366 * 86_400_000)]).toEqual(['3月6日', '2026年3月6日'])
    expect(formatLastDay(Date.parse('2099-12-31T16:00:00Z'), 'zh', time)).toBe('2099年12月31日')
    expect(formatTick(time, 86_400_000, 'zh')).toBe('3/6')
    expect([formatSpan(0.5), formatSpan(1.234), formatSpan(1_500)]).toEqual(['500 µs', '1.23 ms', '1.50 s'])
  })

  it('read coordinates as people type them', () => {
    expect(pointFromText('111.29, 30.70')).toEqual({ longitude: 111.29, latitude: 30.7 })
    expect(pointFromText('111.29，30.70')).toEqual({ longitude: 111.29, latitude: 30.7 })
    expect([pointFromText('30.7'), pointFromText('x, y'), pointFromText('10, 120')]).toEqual([null, null, null])
  })
})

describe('routes', () => {
  let used: Set<string>
  beforeAll(() => (used = fillPath(routes.AcceptTask.path, { caseId: 'a/b', taskId: 't' }).used))

  it('fill their path, escaped, and leave the rest to body or query', () => {
    expect(fillPath(routes.AcceptTask.path, { caseId: 'a/b', taskId: 't' }).path).toBe('/v1/cases/a%2Fb/tasks/t:accept')
    expect(used).toEqual(new Set(['caseId', 'taskId']))
  })

  it('repeat lists, dot into messages and drop what is empty', () => {
    expect(queryOf({ states: ['A', 'B'], point: { longitude: 1, latitude: 2 }, cursor: '', caseId: 'x' }, new Set(['caseId']))).toBe('?states=A&states=B&point.longitude=1&point.latitude=2')
  })
})

describe('photographs', () => {
  it('are not from the future, however fast the clock of the device', async () => {
    learnServerTime(new Date(Date.now() - 3_600_000).toUTCString())
    const taken = async (lastModified: number): Promise<number> => Date.parse((await attachmentOf(new File(['x'], 'a.jpg', { lastModified }), undefined)).takenAt ?? '')
    expect(await taken(Date.now())).toBeLessThan(Date.now() - 3_500_000)
    expect(await taken(Date.parse('2026-01-02T03:04:05Z'))).toBe(Date.parse('2026-01-02T03:04:05Z'))
    learnServerTime(new Date().toUTCString())
  })
})
