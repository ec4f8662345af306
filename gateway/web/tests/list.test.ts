import { describe, expect, it } from 'vitest'
import { queryOf } from '@/api/call'
import { empty, fromFilter, fromQuery, OPEN, orderOf, toFilter, toQuery } from '@/list/filter'

const wanted = { ...empty(), text: ' 水管 ', area: '420502', department: 'FIRE', state: OPEN, light: 'LIGHT_RED', due: 'DUE_WINDOW_TODAY', source: '05', order: 'due' }

describe('the list', () => {
  it('keeps in the address what is asked for, and nothing else', () => {
    expect(fromQuery(toQuery(wanted))).toEqual(wanted)
    expect(toQuery(empty())).toEqual({})
    expect(fromQuery({ text: ['a', 'b'], other: 'x' })).toEqual(empty())
  })

  it('asks the service for it', () => {
    const filter = toFilter(wanted)
    expect(filter).toEqual({ text: '水管', areaPrefix: '420502', department: 'FIRE', open: true, light: 'LIGHT_RED', due: 'DUE_WINDOW_TODAY', sources: ['05'] })
    expect(queryOf({ filter: toFilter({ ...empty(), state: 'CASE_STATE_CLOSED', text: 'a' }) }, new Set())).toBe('?filter.text=a&filter.states=CASE_STATE_CLOSED')
    expect(fromFilter(filter)).toEqual({ ...wanted, text: '水管', order: '' })
    expect(fromFilter(toFilter({ ...empty(), state: 'CASE_STATE_CLOSED' })).state).toBe('CASE_STATE_CLOSED')
  })

  it('lists what is found by words by the time of the report', () => {
    expect(orderOf(wanted)).toBe('CASE_ORDER_UNSPECIFIED')
    expect([{ ...empty(), order: 'due' }, { ...empty(), order: 'changed' }, empty()].map(orderOf)).toEqual(['CASE_ORDER_DUE', 'CASE_ORDER_CHANGED', 'CASE_ORDER_UNSPECIFIED'])
  })
})
