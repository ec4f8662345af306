/** What the register of residents is searched for, and how its entries are told. Pure. */
import type { ListResidentsRequest, Resident, ResidentStatus } from '@/generated/contract'

/** Filters of the list; they stand in the address. What is searched for (a name, a number) never does: addresses are kept in logs. */
export interface Wanted {
  area: string
  type: string
  match: string
  house: string
  household: string
  /** "1": also who left. */
  departed: string
}

const NAMES: readonly (keyof Wanted)[] = ['area', 'type', 'match', 'house', 'household', 'departed']

export const fromQuery = (query: Record<string, unknown>): Wanted =>
  Object.fromEntries(NAMES.map((name) => [name, typeof query[name] === 'string' ? query[name] : ''])) as unknown as Wanted

export const toQuery = (wanted: Wanted): Record<string, string> => Object.fromEntries(Object.entries(wanted).filter(([, value]) => value))

export const toRequest = ({ area, type, match, house, household, departed }: Wanted): ListResidentsRequest => ({
  ...(area ? { areaPrefix: area } : {}),
  ...(type ? { residentType: type } : {}),
  ...(match ? { matchFlag: match } : {}),
  ...(house ? { houseId: house } : {}),
  ...(household ? { householdId: household } : {}),
  ...(departed ? { includeDeparted: true } : {}),
})

/** Whether what somebody typed is the number of a document rather than a name: five digits or more, nothing a name has. */
export function isNumber(text: string): boolean {
  const plain = text.replace(/\s/g, '')
  return /^[0-9A-Za-z()（）-]{4,30}$/.test(plain) && (plain.match(/\d/g)?.length ?? 0) >= 5
}

/** Completed years on a day (YYYY-MM-DD); NaN where the date is masked or unknown. Of a masked one ("1950-**-**") the year alone says it about. */
export function ageOn(birthDate: string | undefined, today: string): number {
  if (!birthDate || !/^\d{4}-\d{2}-\d{2}$/.test(birthDate)) return Number.NaN
  const years = Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4))
  return today.slice(5) < birthDate.slice(5) ? years - 1 : years
}

/** Year of birth, which masked dates still tell. */
export const yearOf = (birthDate: string | undefined): string => /^\d{4}/.exec(birthDate ?? '')?.[0] ?? ''

export const statusOf = (resident: Resident): ResidentStatus => resident.standing?.status ?? 'RESIDENT_STATUS_UNSPECIFIED'

export const hasLeft = (resident: Resident): boolean => statusOf(resident) !== 'RESIDENT_STATUS_UNSPECIFIED'
