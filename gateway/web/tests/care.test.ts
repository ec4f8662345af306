import { describe, expect, it, vi } from 'vitest'
import { figuresOf, widthOf } from '@/care/figures'
import { en, zh } from '@/care/words'

vi.mock('@/i18n', () => ({}))

describe('the care register in figures', () => {
  const { figures, empty } = figuresOf({
    categories: [
      { category: '1001', total: { value: '12' }, areas: [{ areaCode: '420502001', count: { value: '12' } }] },
      { category: '1003', total: { withheld: true }, areas: [{ areaCode: '420502001', count: { withheld: true } }] },
      { category: '2001', total: { value: '40' }, areas: [] },
      { category: '4002', total: {} },
    ],
  })

  it('has the largest category first, what is withheld last, and leaves out what has nobody', () => {
    expect(figures.map(({ category, value }) => [category, value])).toEqual([['2001', 40], ['1001', 12], ['1003', null]])
    expect(empty).toBe(1)
    expect(figures[2]?.areas).toEqual([{ area: '420502001', value: null }])
  })

  it('draws no bar for what is withheld', () => {
    expect(figures.map(({ value }) => widthOf(value, figures))).toEqual([100, 30, 0])
    expect(figuresOf({})).toEqual({ figures: [], empty: 0 })
  })

  it('is said in both languages', () => {
    expect(Object.keys(en.figures)).toEqual(Object.keys(zh.figures))
  })
})
