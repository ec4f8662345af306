import { describe, expect, it, vi } from 'vitest'
import { always, faultsIn, fieldOf, instantOf, isAbout, linesOf, localOf, missingIn, requestIn, type Field } from '@/forms/fields'
import { fileNameOf } from '@/api/call'

vi.mock('@/i18n', () => ({}))

const fields: Field<{ most: number }>[] = [
  { name: 'reason', kind: 'text', label: '', required: always },
  { name: 'until', kind: 'time', label: '', shown: ({ reason }) => !!reason },
  { name: 'remedies', kind: 'lines', label: '' },
  { name: 'committee.name', kind: 'line', label: '' },
  { name: 'committee.phone', kind: 'line', label: '' },
  { name: 'hours', kind: 'number', label: '', aliases: ['minutes'], wire: (value) => ({ minutes: Number(value) * 60 }), fault: (value, { most }) => (Number(value) > most ? 'too.much' : '') },
]

describe('a form', () => {
  it('names what is missing: blanks and empty lists are nothing, a refusal is something', () => {
    expect(missingIn(fields, { reason: '  ' }, { most: 1 })).toEqual(['reason'])
    expect(missingIn([{ name: 'passed', kind: 'verdict', label: '', required: always }], { passed: false }, null)).toEqual([])
  })

  it('sends what is shown and entered, under the names of the contract', () => {
    const values = { reason: ' 等待配件 ', until: '2026-12-31T09:30', remedies: '起诉\n\n 仲裁 ', 'committee.name': '调委会', 'committee.phone': '', hours: 1.5 }
    expect(requestIn(fields, values, { most: 2 })).toEqual({
      reason: '等待配件', until: '2026-12-31T01:30:00.000Z', remedies: ['起诉', '仲裁'], committee: { name: '调委会' }, minutes: 90,
    })
    expect(requestIn(fields, { until: '2026-12-31T09:30' }, { most: 2 })).toEqual({})
  })

  it('finds faults in what was entered, and none in what was not', () => {
    expect(faultsIn(fields, { hours: 3 }, { most: 2 })).toEqual({ hours: 'too.much' })
    expect(faultsIn(fields, {}, { most: 2 })).toEqual({})
  })

  it('gives complaints of the service to the field they are about', () => {
    const about = (name: string, field: string, aliases?: string[]): boolean => isAbout({ name, aliases }, { field, message: '' })
    expect([about('tasks', 'tasks[0].department'), about('party', 'party.type'), about('hours', 'minutes', ['minutes'])]).toEqual([true, true, true])
    expect([about('text', 'texts'), about('party', 'parties[0].name')]).toEqual([false, false])
  })

  it('reckons times in Asia/Shanghai, wherever the device is', () => {
    expect(instantOf('2026-03-01T00:00')).toBe('2026-02-28T16:00:00.000Z')
    expect(localOf(Date.parse('2026-02-28T16:05:59Z'))).toBe('2026-03-01T00:05')
    expect(linesOf('a\n \nb ')).toEqual(['a', 'b'])
  })
})

describe('a file', () => {
  it('is saved under the name the service gives it, in UTF-8 where there is one', () => {
    expect(fileNameOf("attachment; filename=\"a.pdf\"; filename*=UTF-8''%E5%8D%8F%E8%AE%AE.pdf")).toBe('协议.pdf')
    expect([fileNameOf('attachment; filename="a.pdf"'), fileNameOf('')]).toEqual(['a.pdf', ''])
  })
})

describe('names that lead into a message', () => {
  it('are followed by what the request says instead, too', () => {
    const nested: Field[] = [
      { name: 'duty.name', kind: 'line', label: '' },
      { name: 'duty.from', kind: 'clock', label: '', wire: () => ({ 'duty.fromMinute': 90 }) },
    ]
    expect(requestIn(nested, { 'duty.name': '周', 'duty.from': '01:30' }, null)).toEqual({ duty: { name: '周', fromMinute: 90 } })
  })
})

describe('a complaint', () => {
  it('stands at the field that is named most exactly', () => {
    const fields = [{ name: 'home' }, { name: 'home.since' }, { name: 'residentId', aliases: ['houseId'] }]
    const at = (field: string) => fieldOf(fields, { field, message: '' })?.name
    expect([at('home.since'), at('home.houseId'), at('houseId'), at('other')]).toEqual(['home.since', 'home', 'residentId', undefined])
    expect([at('since'), at('ince'), at('')]).toEqual(['home.since', undefined, undefined])
  })
})
