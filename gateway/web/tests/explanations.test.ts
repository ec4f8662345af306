import { describe, expect, it } from 'vitest'
import { said, sharesOf } from '@/case/explanations'

describe('explanations of clocks', () => {
  it('speak the language of the page', () => {
    const text = { zh: '11月24日周二 10:30到期', en: 'due Tue 24 Nov 10:30' }
    expect(said(text, 'zh')).toBe('11月24日周二 10:30到期')
    expect(said(text, 'en')).toBe('due Tue 24 Nov 10:30')
    expect(said({}, 'zh')).toBe('')
  })

  it('draw each day by the fullest one', () => {
    expect(sharesOf([{ minutes: 60 }, { minutes: 0 }, {}, { minutes: 450 }])).toEqual([60 / 450, 0, 0, 1])
    expect(sharesOf([])).toEqual([])
  })
})
