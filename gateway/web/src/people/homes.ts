/** Houses as they are chosen from: building by building, in words people search by. Pure. */
import type { Building, House, Residence, Resident } from '@/generated/contract'
import type { Option } from '@/forms/fields'

/** A house that was chosen, or an area alone. */
export interface Home {
  houseId: string
  areaCode: string
  /** What people read: 3号楼 2单元 501. */
  label: string
}

/** Digits of the code of a community, the largest area a home lies in. */
export const COMMUNITY = 12

/** 3号楼（西陵一路18号） */
export function buildingText({ name = '', address = '' }: Building): string {
  return !address || address === name ? name || address : name ? `${name}（${address}）` : address
}

/** 2单元 501 */
export const houseText = ({ unit = '', number = '' }: House, unitWord: string): string => [unit && (/\D$/.test(unit) ? unit : `${unit}${unitWord}`), number].filter(Boolean).join(' ')

/** Areas a home may lie in, without the indentation of a tree. */
export const homeAreas = (areas: readonly Option[]): Option[] => areas.filter(({ value }) => value.length >= COMMUNITY).map(({ value, label }) => ({ value, label: label.trim() }))

const byText = new Intl.Collator('zh', { numeric: true })
const sorted = (options: Option[]): Option[] => options.toSorted((a, b) => byText.compare(a.label, b.label))

/** In the order people count: 2号楼 before 10号楼. */
export const buildingOptions = (buildings: readonly Building[]): Option[] => sorted(buildings.map((one) => ({ value: one.buildingId ?? '', label: buildingText(one) })))
export const houseOptions = (houses: readonly House[], unitWord: string): Option[] => sorted(houses.map((one) => ({ value: one.houseId ?? '', label: houseText(one, unitWord) })))

const lives = ({ kind, until, houseId }: Residence): boolean => !until && !!houseId && kind !== 'RESIDENCE_KIND_REGISTERED'

/** The house somebody lives in now; '' if none is known. */
export const presentHouse = (resident: Resident): string => resident.residences?.findLast(lives)?.houseId ?? ''
