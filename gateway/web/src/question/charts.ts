/** Options of the charts of statistics: pure data from figures. What is withheld is drawn hatched, as long as ten people at most. */
import type { EChartsCoreOption } from 'echarts/core'
import type { Palette } from '@/board/charts'
import { hasOthers, type Band, type Point } from './figures'

/** No count below this is told (purpose P08). */
const WITHHELD_BELOW = 10

export interface Words {
  male: string
  female: string
  other: string
  withheld: string
  people: string
}

type Bar = { value: number; withheld?: boolean; itemStyle?: object }

const text = (palette: Palette) => ({ color: palette.faint, fontSize: 11 })
const tooltip = (palette: Palette) => ({
  trigger: 'axis', confine: true, axisPointer: { type: 'shadow', shadowStyle: { opacity: 0.12 } },
  backgroundColor: palette.surface, borderColor: palette.line, textStyle: { color: palette.ink, fontSize: 12 },
})
const hatched = (color: string) => ({ color: 'transparent', borderColor: color, borderWidth: 1, borderType: 'dashed' })

/** One bar; one that is withheld is a dashed frame. `side` -1 goes to the left. */
function bar(value: number | null, color: string, side: 1 | -1): Bar {
  return value === null ? { value: side * WITHHELD_BELOW, withheld: true, itemStyle: hatched(color) } : { value: side * value }
}

const said = (words: Words) => (params: { seriesName: string; marker: string; data: Bar; axisValueLabel: string }[]): string =>
  [params[0]?.axisValueLabel ?? '', ...params.map((one) => `${one.marker}${one.seriesName} ${one.data?.withheld ? words.withheld : Math.abs(Number(one.data?.value ?? 0)).toLocaleString()}`)].join('<br>')

/** Men to the left, women to the right, the oldest at the top. */
export function pyramidOption(bands: readonly Band[], label: (band: Band) => string, words: Words, palette: Palette, narrow: boolean): EChartsCoreOption {
  const series = (name: string, key: 'male' | 'female' | 'other', color: string, side: 1 | -1, stack: string) => ({
    type: 'bar', name, stack, barCategoryGap: '18%', itemStyle: { color }, emphasis: { disabled: true }, data: bands.map((band) => bar(band[key], color, side)),
  })
  const others = hasOthers(bands) ? [series(words.other, 'other', palette.still, 1, 'people')] : []
  return {
    animationDuration: 300,
    grid: { left: narrow ? 58 : 76, right: 16, top: 30, bottom: 24 },
    legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 9, textStyle: { color: palette.ink, fontSize: 12 } },
    tooltip: { ...tooltip(palette), formatter: said(words) },
    xAxis: { type: 'value', splitNumber: narrow ? 4 : 8, splitLine: { lineStyle: { color: palette.line } }, axisLabel: { ...text(palette), formatter: (value: number) => Math.abs(value).toLocaleString() } },
    yAxis: { type: 'category', data: bands.map(label), axisTick: { show: false }, axisLine: { show: false }, axisLabel: { color: palette.ink, fontSize: 11, interval: bands.length > 30 ? 'auto' : 0 } },
    series: [series(words.male, 'male', palette.brand, -1, 'people'), series(words.female, 'female', palette.accent, 1, 'people'), ...others],
  }
}

/** The population over months; a withheld point leaves a gap in the line. */
export function trendOption(points: readonly Point[], words: Words, palette: Palette): EChartsCoreOption {
  return {
    animationDuration: 300,
    grid: { left: 56, right: 18, top: 16, bottom: 24 },
    tooltip: { ...tooltip(palette), axisPointer: { type: 'line' }, valueFormatter: (value: unknown) => (value === null || value === undefined ? words.withheld : Number(value).toLocaleString()) },
    xAxis: { type: 'category', boundaryGap: false, data: points.map(({ day }) => day.slice(0, 7)), axisTick: { show: false }, axisLine: { lineStyle: { color: palette.line } }, axisLabel: text(palette) },
    yAxis: { type: 'value', scale: true, splitNumber: 4, splitLine: { lineStyle: { color: palette.line } }, axisLabel: text(palette) },
    series: [{ type: 'line', name: words.people, data: points.map(({ value }) => value), connectNulls: false, showSymbol: points.length < 30, symbolSize: 5, lineStyle: { width: 2, color: palette.brand }, itemStyle: { color: palette.brand }, areaStyle: { color: palette.brand, opacity: 0.08 } }],
  }
}

/** Upright bars with a label each, for instance households by size. */
export function columnsOption(rows: readonly { label: string; value: number | null }[], name: string, words: Words, palette: Palette): EChartsCoreOption {
  return {
    animationDuration: 300,
    grid: { left: 48, right: 12, top: 18, bottom: 24 },
    tooltip: { ...tooltip(palette), formatter: said(words) },
    xAxis: { type: 'category', data: rows.map(({ label }) => label), axisTick: { show: false }, axisLine: { lineStyle: { color: palette.line } }, axisLabel: { ...text(palette), interval: 0 } },
    yAxis: { type: 'value', splitNumber: 4, splitLine: { lineStyle: { color: palette.line } }, axisLabel: text(palette) },
    series: [{ type: 'bar', name, barMaxWidth: 34, itemStyle: { color: palette.brand, borderRadius: [3, 3, 0, 0] }, data: rows.map(({ value }) => bar(value, palette.faint, 1)) }],
  }
}
