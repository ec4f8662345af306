/** The statistics of one area and day; the latest question wins, whatever order answers come in. */
import { ref, shallowRef, watch, type Ref } from 'vue'
import { call } from '@/api/call'
import type { GetDensityResponse, GetHouseholdSizesResponse, GetPyramidResponse, GetTrendResponse } from '@/generated/contract'
import { monthsBefore } from './figures'

export interface Wanted {
  area: string
  /** YYYY-MM-DD; '' for today. */
  day: string
  bandYears: number
  months: number
}

export interface Figures {
  pyramid: GetPyramidResponse
  trend: GetTrendResponse
  sizes: GetHouseholdSizesResponse
  /** Null where nothing lies below the area. */
  density: GetDensityResponse | null
}

/** Longest line of points. */
const MOST_POINTS = 60

export function useFigures(wanted: Ref<Wanted>, today: string): { figures: Ref<Figures | null>; problem: Ref<unknown>; loading: Ref<boolean> } {
  const figures = shallowRef<Figures | null>(null)
  const problem = shallowRef<unknown>(null)
  const loading = ref(false)
  let latest = 0

  async function ask(): Promise<void> {
    const mine = ++latest
    loading.value = true
    const { area, day, bandYears, months } = wanted.value
    const where = { areaPrefix: area, day }
    try {
      const [pyramid, trend, sizes, density] = await Promise.all([
        call('GetPyramid', { ...where, bandYears }),
        call('GetTrend', { areaPrefix: area, fromDay: monthsBefore(day || today, months), toDay: day, stepMonths: Math.ceil(months / MOST_POINTS) }),
        call('GetHouseholdSizes', where),
        [4, 6, 9, 12].includes(area.length) ? call('GetDensity', { areaCode: area }) : null,
      ])
      if (mine !== latest) return
      problem.value = null
      figures.value = { pyramid, trend, sizes, density }
    } catch (refused) {
      if (mine === latest) problem.value = refused
    } finally {
      if (mine === latest) loading.value = false
    }
  }

  watch(wanted, ask, { immediate: true, deep: true })
  return { figures, problem, loading }
}
