/** Areas a committee can work in: the own one, with all that lies in it down to communities. */
import type { Me } from '@/api/session'
import type { Option } from '@/forms/fields'
import { language } from '@/i18n'
import { areaName, areaOptions } from '@/model/areas'

/** `also`: an area that is chosen already. Indented as they lie in each other; without names of areas, the codes. */
export function areasOf(me: Me, also = ''): Option[] {
  const inside = areaOptions().filter(({ code }) => code !== me.area && code.startsWith(me.area))
  const known = inside.map(({ code, name, depth }) => ({ value: code, label: '　'.repeat(Math.max(0, depth)) + name }))
  const others = [me.area, also].filter((code, place, all) => code && all.indexOf(code) === place && !known.some(({ value }) => value === code))
  return [...others.map((code) => ({ value: code, label: areaName(code, language.value) })), ...known]
}
