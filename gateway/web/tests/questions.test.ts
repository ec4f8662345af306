import { describe, expect, it, vi } from 'vitest'
import type { Palette } from '@/board/charts'
import { AnswerSource, type GetPyramidResponse } from '@/generated/contract'
import { columnsOption, pyramidOption, trendOption } from '@/question/charts'
import { bandsOf, countOf, faultAt, hasOthers, isUnknown, levelsBelow, longest, monthsBefore, pointsOf, sizesOf } from '@/question/figures'
import { whyOf, WHYS } from '@/question/why'
import { en, reasonsEn, reasonsZh, zh } from '@/question/words'

vi.mock('@/i18n', () => ({}))

const answer: GetPyramidResponse = {
  bands: [
    { fromAge: 0, toAge: 4, male: { value: '120' }, female: { withheld: true }, other: {} },
    { fromAge: 5, toAge: 9, male: { value: '90' }, female: { value: '95' }, other: { value: '12' } },
    { fromAge: -1, toAge: 0, male: {}, female: { value: '11' }, other: {} },
  ],
}
const palette = { brand: 'b', accent: 'a', ink: 'i', faint: 'f', line: 'l', surface: 's', still: 't' } as Palette
const words = { male: '男', female: '女', other: '不详', withheld: '不公布', people: '人' }
type Chart = { series: { name: string; data: ({ value: number; withheld?: boolean } | number | null)[]; connectNulls?: boolean }[]; yAxis: { data: string[] }; tooltip: { formatter(params: unknown[]): string } }

describe('figures', () => {
  it('never take what is withheld for nothing', () => {
    expect([countOf({ withheld: true }), countOf({ value: '7' }), countOf(undefined)]).toEqual([null, 7, 0])
    const bands = bandsOf(answer)
    expect(bands.map(({ female }) => female)).toEqual([null, 95, 11])
    expect([hasOthers(bands), longest(bands), bands.filter(isUnknown).length]).toEqual([true, 120, 1])
    expect(pointsOf([{ day: '2026-01-01', count: { withheld: true } }])).toEqual([{ day: '2026-01-01', value: null }])
  })

  it('fill sizes nobody has', () => {
    expect(sizesOf([{ size: 1, households: { value: '20' } }, { size: 3, households: { withheld: true } }])).toEqual([{ size: 1, value: 20 }, { size: 2, value: 0 }, { size: 3, value: null }])
    expect(sizesOf([])).toEqual([])
  })

  it('reckon months back over the turn of a year, and know the levels below an area', () => {
    expect([monthsBefore('2026-02-28', 3), monthsBefore('2026-11-22', 36)]).toEqual(['2025-11-01', '2023-11-01'])
    expect([levelsBelow('4205'), levelsBelow('420502001'), levelsBelow('42050200100310001')]).toEqual([[6, 9, 12, 17], [12, 17], []])
  })
})

describe('a filter that cannot be read', () => {
  it('is marked at the character the service names', () => {
    expect(faultAt('age >= 80 AND foo = 1', 15)).toEqual({ position: 15, before: 'age >= 80 AND ', at: 'foo', after: ' = 1' })
    expect(faultAt('age >=', 7)).toEqual({ position: 7, before: 'age >=', at: '', after: '' })
    expect([faultAt('age', Number.NaN), faultAt('age', 0)]).toEqual([null, null])
  })

  it('is explained in the language of the page', () => {
    expect(whyOf("The filter cannot be read at character 15: there is no field 'foo'; there are age, sex.")).toEqual({ key: 'noField', named: { name: 'foo' } })
    expect(whyOf('The filter cannot be read at character 3: age lies between 0 and 150.')).toEqual({ key: 'range', named: { name: 'age', low: '0', high: '150' } })
    expect(whyOf('something new')).toBeNull()
    for (const words of [zh, en]) expect(Object.keys(words.why)).toEqual(expect.arrayContaining(WHYS))
  })
})

describe('charts', () => {
  it('draw men to the left, and what is withheld as a frame of ten', () => {
    const chart = pyramidOption(bandsOf(answer), (band) => String(band.from), words, palette, false) as unknown as Chart
    expect(chart.series.map(({ name, data }) => [name, data.map((one) => (one as { value: number }).value)])).toEqual([['男', [-120, -90, 0 * -1]], ['女', [10, 95, 11]], ['不详', [0, 12, 0]]])
    expect((chart.series[1]?.data[0] as { withheld?: boolean }).withheld).toBe(true)
    expect(chart.tooltip.formatter([{ seriesName: '女', marker: '', axisValueLabel: '0', data: chart.series[1]?.data[0] }])).toBe('0<br>女 不公布')
    expect(chart.tooltip.formatter([{ seriesName: '男', marker: '', axisValueLabel: '0', data: chart.series[0]?.data[0] }])).toBe('0<br>男 120')
  })

  it('break the line where a point is withheld', () => {
    const chart = trendOption([{ day: '2026-01-01', value: 5 }, { day: '2026-02-01', value: null }], words, palette) as unknown as Chart
    expect([chart.series[0]?.data, chart.series[0]?.connectNulls]).toEqual([[5, null], false])
    const columns = columnsOption([{ label: '1', value: null }], '户', words, palette) as unknown as Chart
    expect((columns.series[0]?.data[0] as { withheld?: boolean }).withheld).toBe(true)
  })
})

describe('words', () => {
  it('say where an answer comes from, and give the same examples in both languages', () => {
    for (const catalogue of [zh, en]) expect(Object.keys(catalogue.fresh)).toEqual([...AnswerSource])
    expect(Object.entries(en.example).map(([name, one]) => [name, one.text])).toEqual(Object.entries(zh.example).map(([name, one]) => [name, one.text]))
    expect(Object.keys(reasonsEn)).toEqual(Object.keys(reasonsZh))
  })
})
