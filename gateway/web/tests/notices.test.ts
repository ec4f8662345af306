import { describe, expect, it, vi } from 'vitest'
import { DeliveryState, NoticeChannel, NoticeKind, type Notice } from '@/generated/contract'
import en from '@/i18n/en'
import zh from '@/i18n/zh'
import { factsOf, minuteOf, pageOf, shiftText, toneOf } from '@/notices/facts'
import { DUTY_ROLES } from '@/notices/roles'
import { badge } from '@/notices/unread'
import { useList } from '@/notices/useList'

vi.mock('@/i18n', () => ({}))

const clockName = (clock: string): string => clock

describe('notices', () => {
  it('have words for every kind, way, state and role in both languages', () => {
    for (const catalogue of [zh, en]) {
      expect(Object.keys(catalogue.noticeKind)).toEqual(expect.arrayContaining([...NoticeKind]))
      expect(Object.keys(catalogue.channel)).toEqual(expect.arrayContaining([...NoticeChannel]))
      expect(Object.keys(catalogue.deliveryState)).toEqual(expect.arrayContaining([...DeliveryState]))
      expect(Object.keys(catalogue.dutyRole)).toEqual(expect.arrayContaining([...DUTY_ROLES]))
    }
  })

  it('lead to the case, or to the page of the register', () => {
    expect(pageOf({ kind: 'NOTICE_KIND_RED', caseId: 'c1' })).toBe('/cases/c1')
    expect(pageOf({ kind: 'NOTICE_KIND_WELFARE', aboutId: 'a1' })).toBe('/people/welfare')
    expect(pageOf({ kind: 'NOTICE_KIND_LIFE_EVENT', aboutId: 'e1' })).toBe('/people/events/e1')
    expect(pageOf({ kind: 'NOTICE_KIND_LIFE_EVENT' })).toBe('/people/events')
  })

  it('say which clock turned, and yes or no', () => {
    const of = (notice: Notice) => factsOf(notice, clockName).map((fact) => [fact.key, fact.values.clock])
    expect(of({ kind: 'NOTICE_KIND_RED', clock: 'CLOCK_KIND_RESOLVE' })).toEqual([['notice.clockRed', 'CLOCK_KIND_RESOLVE']])
    expect(of({ kind: 'NOTICE_KIND_YELLOW' })).toEqual([['notice.clockYellow', 'CLOCK_KIND_UNSPECIFIED']])
    expect(of({ kind: 'NOTICE_KIND_RULED', positive: true })).toEqual([['case.upheld', undefined]])
    expect(of({ kind: 'NOTICE_KIND_DECIDED' })).toEqual([['notice.notGranted', undefined]])
    expect(of({ kind: 'NOTICE_KIND_VERIFIED' })).toEqual([['case.failed', undefined]])
    expect(of({ kind: 'NOTICE_KIND_CLOSED' })).toEqual([])
  })

  it('keep red for what is late, refused or failed', () => {
    const tones = NoticeKind.map((kind) => toneOf({ kind, positive: true }))
    expect(Object.fromEntries(NoticeKind.map((kind, place) => [kind, tones[place]]))).toMatchObject({
      NOTICE_KIND_RED: 'red', NOTICE_KIND_YELLOW: 'yellow', NOTICE_KIND_ASSIGNED: 'plain', NOTICE_KIND_VERIFIED: 'plain', NOTICE_KIND_REJECTED: 'red',
    })
    expect(toneOf({ kind: 'NOTICE_KIND_VERIFIED', positive: false })).toBe('red')
  })

  it('ask for nothing once the task is no longer the department\'s', () => {
    const notice: Notice = { kind: 'NOTICE_KIND_RED', clock: 'CLOCK_KIND_RESOLVE', over: true }
    expect([toneOf(notice), factsOf(notice, clockName)]).toEqual(['plain', [{ key: 'notice.over', values: {} }]])
  })

  it('count to 99', () => {
    expect([badge(-1), badge(0), badge(1), badge(99), badge(100), badge(500)]).toEqual(['', '', '1', '99', '99+', '99+'])
  })
})

describe('shifts', () => {
  it('are written from and until, nothing for around the clock', () => {
    expect([shiftText(1_320, 360), shiftText(0, 1_440), shiftText(undefined, undefined), shiftText(510, 0)]).toEqual(['22:00–06:00', '', '', '08:30–00:00'])
  })

  it('are read as minutes', () => {
    expect([minuteOf('22:30'), minuteOf('00:00'), minuteOf(''), minuteOf('24:00')]).toEqual([1_350, 0, 0, 0])
  })
})

describe('lists', () => {
  it('grow page by page, and drop an answer that a reload overtook', async () => {
    const answers: ((page: { items: string[]; next: string }) => void)[] = []
    const list = useList<string>(() => new Promise((resolve) => answers.push(resolve)))
    const first = list.reload()
    const second = list.reload()
    answers[1]?.({ items: ['b'], next: 'x' })
    answers[0]?.({ items: ['a'], next: '' })
    await Promise.all([first, second])
    expect([list.items.value, list.more.value, list.busy.value]).toEqual([['b'], true, false])
    const third = list.loadMore()
    answers[2]?.({ items: ['c'], next: '' })
    await third
    expect([list.items.value, list.more.value]).toEqual([['b', 'c'], false])
  })

  it('keep what they have when a page fails', async () => {
    let fail = false
    const list = useList<string>(() => (fail ? Promise.reject(new Error('away')) : Promise.resolve({ items: ['a'], next: 'n' })))
    await list.reload()
    fail = true
    await list.loadMore()
    expect([list.items.value, list.problem.value instanceof Error, list.busy.value]).toEqual([['a'], true, false])
  })
})
