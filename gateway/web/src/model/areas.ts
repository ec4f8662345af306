/** Names of areas, from housing's area tree of the caller's own part of the city. */
import { ref, shallowRef, triggerRef } from 'vue'
import { call } from '@/api/call'
import type { AreaNode } from '@/generated/contract'
import type { Language } from '@/i18n'

export interface AreaOption {
  code: string
  name: string
  depth: number
}

const names = shallowRef(new Map<string, string>())
const loadedFor = ref('')

/** Levels between an area and its communities: grids are too many to fetch and name themselves by their number. */
const DEPTH: Record<number, number> = { 4: 3, 6: 2, 9: 1 }

/** Fetches the names below the caller's area once; without an answer, codes are shown instead of names. */
export async function loadAreas(root: string): Promise<void> {
  if (!root || loadedFor.value === root) return
  loadedFor.value = root
  try {
    const depth = DEPTH[root.length]
    if (depth) remember(await call('GetAreaTree', { areaCode: root, depth }))
    else await rememberOne(root)
  } catch {
    loadedFor.value = ''
  }
}

async function rememberOne(code: string): Promise<void> {
  const area = await call('GetArea', { areaCode: code })
  names.value.set(code, short(area.name ?? code))
  triggerRef(names)
}

function remember(root: AreaNode): void {
  const walk = (node: AreaNode): void => {
    names.value.set(node.area?.areaCode ?? '', short(node.area?.name ?? ''))
    node.children?.forEach(walk)
  }
  walk(root)
  triggerRef(names)
}

/** 土街头社区居民委员会 → 土街头社区: the official suffix says nothing on a card. */
export function short(name: string): string {
  return name.replace(/社区(居民委员会|居委会)$/, '社区').replace(/(居民委员会|居委会)$/, '社区').replace(/村(村民|村)?(委员会|委会)$|村民委员会$/, '村')
}

/** Name of the area itself, for instance 铁路坝社区 or 铁路坝社区 3 号网格; the code when unknown. */
export function areaName(code: string | undefined, language: Language): string {
  if (!code) return ''
  const known = names.value.get(code)
  if (known) return known
  const community = code.length === 17 ? names.value.get(code.slice(0, 12)) : undefined
  if (!community) return names.value.get(code.slice(0, 9)) ?? names.value.get(code.slice(0, 6)) ?? code
  const number = Number(code.slice(13))
  return language === 'zh' ? `${community}${number}号网格` : `${community} grid ${number}`
}

/** Names from the district down, for instance 西陵区 · 西陵街道 · 铁路坝社区 3 号网格. */
export function areaPath(code: string | undefined, language: Language): string {
  if (!code) return ''
  const above = [6, 9, 12].filter((length) => length < code.length).map((length) => names.value.get(code.slice(0, length)))
  const grid = code.length === 17 ? above.slice(0, -1) : above
  return [...grid, areaName(code, language)].filter(Boolean).join(' · ')
}

/** Everything known down to communities, in tree order, for selects. */
export function areaOptions(deepest = 12): AreaOption[] {
  const codes = [...names.value.keys()].filter((code) => code.length <= deepest && code.length >= 6)
  const rootLength = Math.min(...codes.map((code) => code.length))
  const level = (code: string): number => [6, 9, 12, 17].indexOf(code.length) - [6, 9, 12, 17].indexOf(rootLength)
  return codes.toSorted().map((code) => ({ code, name: names.value.get(code) ?? code, depth: level(code) }))
}
