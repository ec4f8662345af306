/** Rows inside the forms of mediation: parties, who came, terms, signatures; what makes them whole. Pure. */
import type { Attendance, Dispute, Party, Term } from '@/generated/contract'

type Translate = (key: string, named?: Record<string, unknown>) => string

/** 申请人 王小明 */
export const partyName = (party: Party | undefined, t: Translate): string => [t(`dispute.side.${party?.side ?? 'PARTY_SIDE_UNSPECIFIED'}`), party?.name].filter(Boolean).join(' ')

/** Name of whoever signs: a party, the mediator, the committee. */
export function signerName(dispute: Dispute, signer: string | undefined, t: Translate): string {
  if (signer === 'mediator') return t('dispute.mediatorSigns')
  if (signer === 'committee') return t('dispute.committeeSigns')
  return partyName(dispute.parties?.find((party) => party.partyId === signer), t)
}

const MONTH = /^(19|20)\d{2}-(0[1-9]|1[0-2])$/
export const isMonth = (text: string | undefined): boolean => !text || MONTH.test(text)

export const isWholeParty = (party: Party): boolean =>
  !!party.side && !!party.type && !!party.name?.trim() && isMonth(party.birthMonth) && (!party.agentName?.trim() || !!party.agentAuthority?.trim())

export function isWholeParties(value: unknown): boolean {
  const parties = value as Party[]
  return parties.every(isWholeParty) && (['PARTY_SIDE_APPLICANT', 'PARTY_SIDE_RESPONDENT'] as const).every((side) => parties.some((party) => party.side === side))
}

export const isWholeAttendance = (value: unknown, dispute: Dispute): boolean => (value as Attendance[]).length === (dispute.parties?.length ?? 0)

export const isWholeTerms = (value: unknown): boolean =>
  (value as Term[]).every((term) => !!term.obligor && !!term.obligee && term.obligor !== term.obligee && !!term.content?.trim() && !!term.way?.trim() && !!term.dueOn)

/** Leaves out what was not entered. */
export const tidy = <T extends object>(value: T): T => Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined && part !== null && part !== '')) as T

/** 3500 → "350000" (0.01 yuan, an int64 in JSON); '' for nothing. */
export const centsOf = (yuan: number | null): string => (yuan ? String(Math.round(yuan * 100)) : '')
export const yuanOf = (cents: string | undefined): number | null => (cents && cents !== '0' ? Number(cents) / 100 : null)
