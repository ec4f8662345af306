/** The register of mediation committees: what makes one whole, its term, who may keep it, what a list looks for. Pure. */
import { mayCall, type Me } from '@/api/session'
import type { CommitteeMember, EngagedMediator, ListCommitteesRequest, MediationCommittee } from '@/generated/contract'
import { DEPARTMENT_ROLES } from '@/notices/roles'

/** 人民调解法 8: three to nine members. */
export const FEWEST = 3
export const MOST = 9
/** As many mediators as the contract takes. */
export const MOST_MEDIATORS = 100
/** A term that ends within this many days is said to. */
const SOON = 60
/** 人民调解法 10: of the departments, the judicial bureau keeps the register. */
const REGISTRAR = 'JUST'
const WOMAN = '2'

export type Person = CommitteeMember
export type List = 'members' | 'mediators'

const isWhole = (person: Person, list: List): boolean => !!person.name?.trim() && !!person.subject?.trim() && (list === 'mediators' || (!!person.sex && !!person.post))
const isOnce = (people: readonly EngagedMediator[]): boolean => new Set(people.map(({ subject }) => subject?.trim())).size === people.length

/** What is wrong with the members (人民调解法 8), as a key of the catalogue; '' when nothing is. */
export function faultOfMembers(members: readonly Person[]): string {
  if (members.length < FEWEST || members.length > MOST) return 'reason.COMMITTEE_SIZE'
  if (!members.every((one) => isWhole(one, 'members'))) return 'committee.fault.whole'
  if (members.filter((one) => one.post === 'COMMITTEE_POST_CHAIR').length !== 1) return 'reason.CHAIR_COUNT'
  if (!members.some((one) => one.sex === WOMAN)) return 'reason.WOMAN_REQUIRED'
  return isOnce(members) ? '' : 'reason.DUPLICATE_MEDIATOR'
}

export function faultOfMediators(mediators: readonly EngagedMediator[]): string {
  if (!mediators.every((one) => isWhole(one, 'mediators'))) return 'committee.fault.whole'
  return isOnce(mediators) ? '' : 'reason.DUPLICATE_MEDIATOR'
}

export const chairOf = (committee: MediationCommittee): CommitteeMember | undefined => committee.members?.find((one) => one.post === 'COMMITTEE_POST_CHAIR')

export type Standing = 'works' | 'ends' | 'over' | 'dissolved'

/** How a committee stands on a day ("2026-11-22"). Days of that form order as texts. */
export function standingOf(committee: MediationCommittee, today: string): Standing {
  if (committee.dissolvedAt) return 'dissolved'
  const last = committee.termEndsOn ?? ''
  if (!last) return 'works'
  if (last < today) return 'over'
  return Date.parse(last) - Date.parse(today) <= SOON * 86_400_000 ? 'ends' : 'works'
}

/** Whether somebody may enter committees of an area: the roles of the protos, of departments the judicial bureau alone. */
export function mayKeep(me: Me | null, areaCode = ''): boolean {
  if (!me || !mayCall('CreateCommittee')) return false
  const ofDepartment = me.roles.every((role) => DEPARTMENT_ROLES.includes(role))
  return (!ofDepartment || me.department === REGISTRAR) && (!areaCode || areaCode.startsWith(me.area))
}

export interface Wanted {
  text: string
  area: string
  /** "1": dissolved ones as well. */
  all: string
}

export const fromQuery = (query: Record<string, unknown>): Wanted => {
  const of = (name: keyof Wanted): string => (typeof query[name] === 'string' ? query[name] : '')
  return { text: of('text'), area: of('area'), all: of('all') }
}

export const toQuery = (wanted: Wanted): Record<string, string> => Object.fromEntries(Object.entries(wanted).filter(([, value]) => value))

export const toRequest = ({ text, area, all }: Wanted): ListCommitteesRequest => ({
  ...(text.trim() ? { text: text.trim() } : {}),
  ...(area ? { areaPrefix: area } : {}),
  ...(all ? { dissolvedToo: true } : {}),
})
