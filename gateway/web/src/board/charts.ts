/** Options of the board's charts: pure data from counts; colours are those of the page's theme. */
import type { EChartsCoreOption } from 'echarts/core'
import type { Lane } from '@/model/lights'
import type { Bucket, DepartmentLoad } from './entries'

export interface Palette {
  ink: string
  faint: string
  line: string
  surface: string
  brand: string
  accent: string
  waiting: string
  still: string
  lanes: Record<Lane, string>
}

/** Reads the theme's colours from the stylesheet. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    ink: colour('ink-soft'), faint: colour('ink-faint'), line: colour('line'), surface: colour('surface'),
    brand: colour('bar-working'), accent: colour('green-fill'), waiting: colour('bar-assigned'), still: colour('line-strong'),
    lanes: { red: colour('red-fill'), yellow: colour('yellow-fill'), green: colour('green-fill'), check: colour('check-fill') },
  }
}

const tooltip = (palette: Palette) => ({
  confine: true, backgroundColor: palette.surface, borderColor: palette.line, textStyle: { color: palette.ink, fontSize: 12 },
})
const axisText = (palette: Palette) => ({ color: palette.faint, fontSize: 11 })
const legend = (palette: Palette) => ({ top: 0, right: 0, itemWidth: 9, itemHeight: 9, textStyle: { color: palette.ink, fontSize: 12 } })

export function trendOption(buckets: Bucket[], names: { reported: string; closed: string }, label: (from: number) => string, palette: Palette): EChartsCoreOption {
  const bar = (name: string, key: 'reported' | 'closed', color: string) => ({
    type: 'bar', name, data: buckets.map((bucket) => bucket[key]), itemStyle: { color, borderRadius: [2, 2, 0, 0] }, barMaxWidth: 9, barGap: '15%',
  })
  return {
    animationDuration: 300,
    grid: { left: 28, right: 4, top: 28, bottom: 20 },
    legend: legend(palette),
    tooltip: { trigger: 'axis', axisPointer: { type: 'none' }, ...tooltip(palette) },
    xAxis: { type: 'category', data: buckets.map((bucket) => label(bucket.from)), axisTick: { show: false }, axisLine: { lineStyle: { color: palette.line } }, axisLabel: axisText(palette) },
    yAxis: { type: 'value', minInterval: 1, splitNumber: 3, splitLine: { lineStyle: { color: palette.line } }, axisLabel: axisText(palette) },
    series: [bar(names.reported, 'reported', palette.brand), bar(names.closed, 'closed', palette.accent)],
  }
}

export function donutOption(counts: Record<Lane, number>, names: Record<Lane, string>, palette: Palette): EChartsCoreOption {
  const lanes = (Object.keys(counts) as Lane[]).filter((lane) => counts[lane] > 0)
  return {
    animationDuration: 300,
    tooltip: { trigger: 'item', ...tooltip(palette) },
    series: [{
      type: 'pie', radius: ['66%', '92%'], label: { show: false }, itemStyle: { borderColor: palette.surface, borderWidth: 2 }, emphasis: { scale: false },
      emptyCircleStyle: { color: palette.line }, // what ECharts draws without data; all lanes at zero would share the ring in full colour
      data: lanes.map((lane) => ({ name: names[lane], value: counts[lane], itemStyle: { color: palette.lanes[lane] } })),
    }],
  }
}

export function loadOption(loads: DepartmentLoad[], name: (code: string) => string, lights: Record<'red' | 'yellow' | 'green', string>, palette: Palette): EChartsCoreOption {
  const rows = loads.slice(0, 6).toReversed()
  const series = (['red', 'yellow', 'green'] as const).map((light) => ({
    type: 'bar', stack: 'tasks', name: lights[light], data: rows.map((row) => row[light]), itemStyle: { color: palette.lanes[light] }, barMaxWidth: 12,
  }))
  return {
    animationDuration: 300,
    grid: { left: 92, right: 12, top: 6, bottom: 20 },
    tooltip: { trigger: 'axis', axisPointer: { type: 'none' }, ...tooltip(palette) },
    xAxis: { type: 'value', minInterval: 1, splitNumber: 4, splitLine: { lineStyle: { color: palette.line } }, axisLabel: axisText(palette) },
    yAxis: { type: 'category', data: rows.map((row) => name(row.department)), axisTick: { show: false }, axisLine: { show: false }, axisLabel: { ...axisText(palette), width: 84, overflow: 'truncate' } },
    series,
  }
}
