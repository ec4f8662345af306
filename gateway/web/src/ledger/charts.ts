/** Options of the ledger's charts: pure data from figures. What is modelled is hollow and dashed wherever it is drawn. */
import type { EChartsCoreOption } from 'echarts/core'
import type { Palette } from '@/board/charts'
import type { CategoryComparison } from '@/generated/contract'
import { inUnit, type Holder, type Unit } from './figures'

export interface Words {
  actual: string
  serial: string
  waiting: string
  working: string
  suspended: string
  other: string
}

const tooltip = (palette: Palette, time: (minutes: number) => string, unit: Unit) => ({
  trigger: 'axis', confine: true, axisPointer: { type: 'shadow', shadowStyle: { opacity: 0.12 } },
  backgroundColor: palette.surface, borderColor: palette.line, textStyle: { color: palette.ink, fontSize: 12 },
  valueFormatter: (value: unknown) => time(Number(value) * unit.size),
})
const text = (palette: Palette) => ({ color: palette.faint, fontSize: 11 })
const legend = (palette: Palette) => ({ top: 0, left: 0, itemWidth: 14, itemHeight: 9, textStyle: { color: palette.ink, fontSize: 12 } })

function frame(names: string[], unitName: string, palette: Palette, narrow: boolean): EChartsCoreOption {
  return {
    animationDuration: 300,
    grid: { left: narrow ? 104 : 156, right: narrow ? 14 : 42, top: 32, bottom: 38 },
    legend: legend(palette),
    xAxis: {
      type: 'value', splitNumber: narrow ? 3 : 5, name: unitName, nameLocation: 'middle', nameGap: 24, nameTextStyle: text(palette),
      splitLine: { lineStyle: { color: palette.line } }, axisLabel: text(palette),
    },
    yAxis: {
      type: 'category', data: names, axisTick: { show: false }, axisLine: { show: false },
      axisLabel: { color: palette.ink, fontSize: 12, width: narrow ? 94 : 144, overflow: 'truncate' },
    },
  }
}

/** Per category the measured time of the parallel way over the modelled time of the serial way. */
export function comparisonOption(
  rows: CategoryComparison[], name: (category: string) => string, words: Words, time: (minutes: number) => string, unit: Unit, unitName: string, palette: Palette, narrow: boolean,
): EChartsCoreOption {
  const upward = rows.toReversed()
  const values = (field: 'medianActualMinutes' | 'medianSerialMinutes') => upward.map((row) => inUnit(row[field] ?? 0, unit))
  return {
    ...frame(upward.map((row) => name(row.category ?? '')), unitName, palette, narrow),
    tooltip: tooltip(palette, time, unit),
    series: [
      { type: 'bar', name: words.serial, data: values('medianSerialMinutes'), barMaxWidth: 13, barGap: '20%', itemStyle: { color: 'transparent', borderColor: palette.faint, borderWidth: 1.2, borderType: 'dashed', borderRadius: [0, 3, 3, 0] } },
      { type: 'bar', name: words.actual, data: values('medianActualMinutes'), barMaxWidth: 13, itemStyle: { color: palette.brand, borderRadius: [0, 3, 3, 0] } },
    ],
  }
}

/** Whose minutes decided when cases were handled: waiting, working, standstill, and what was nobody's task. */
export function holdersOption(
  rows: Holder[], name: (holder: Holder) => string, words: Words, time: (minutes: number) => string, unit: Unit, unitName: string, palette: Palette, narrow: boolean,
): EChartsCoreOption {
  const upward = rows.toReversed()
  const part = (label: string, field: 'waiting' | 'working' | 'suspended' | 'other', color: string) => ({
    type: 'bar', stack: 'minutes', name: label, data: upward.map((row) => inUnit(row[field], unit)), itemStyle: { color }, barMaxWidth: 15,
  })
  const parts = [
    part(words.waiting, 'waiting', palette.waiting),
    part(words.working, 'working', palette.brand),
    part(words.suspended, 'suspended', palette.still),
    part(words.other, 'other', palette.faint),
  ]
  return {
    ...frame(upward.map(name), unitName, palette, narrow),
    tooltip: tooltip(palette, time, unit),
    series: parts.filter((series) => series.data.some((value) => value > 0)),
  }
}
