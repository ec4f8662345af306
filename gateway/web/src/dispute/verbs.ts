/**
 * What the logged-in person can do with a dispute now. The service decides in the end (the tables of svc-mediation); this keeps
 * away what it would refuse. Roles come from the protos through `mayCall`.
 */
import { mayCall, type Me } from '@/api/session'
import type { Agreement, AgreementStatus, Dispute, DisputePaper, DisputeState, Mediator, Party, Reminder } from '@/generated/contract'
import { at } from '@/model/lights'

export type DisputeVerb =
  | 'BeginMediation' | 'RecordSession' | 'DraftAgreement' | 'SignAgreement' | 'RecordOralAgreement' | 'RecordVisit' | 'ChangeAgreement'
  | 'ApplyConfirmation' | 'DecideConfirmation' | 'CloseDispute' | 'NotifyRemedies' | 'AppointMediator' | 'AddParty' | 'ExtendMediation'
  | 'PauseMediationClock' | 'ResumeMediationClock' | 'RecuseMediator' | 'EndMediation' | 'InformPolice'
export type PartyVerb = 'RecordConsent' | 'AcceptMediator'
export type Verb = DisputeVerb | PartyVerb

const OPEN: readonly DisputeState[] = ['DISPUTE_STATE_REGISTERED', 'DISPUTE_STATE_MEDIATING']
const MEDIATING: readonly DisputeState[] = ['DISPUTE_STATE_MEDIATING']
const AGREED: readonly DisputeState[] = ['DISPUTE_STATE_AGREED']

/** In the order in which they are offered; the first is what is usually next. */
const FROM: Record<DisputeVerb, readonly DisputeState[]> = {
  BeginMediation: ['DISPUTE_STATE_REGISTERED'],
  AppointMediator: OPEN,
  SignAgreement: ['DISPUTE_STATE_MEDIATING', 'DISPUTE_STATE_AGREED'],
  RecordVisit: AGREED,
  ChangeAgreement: AGREED,
  ApplyConfirmation: AGREED,
  DecideConfirmation: AGREED,
  CloseDispute: AGREED,
  NotifyRemedies: ['DISPUTE_STATE_STOPPED'],
  RecordSession: MEDIATING,
  DraftAgreement: ['DISPUTE_STATE_MEDIATING', 'DISPUTE_STATE_AGREED'],
  RecordOralAgreement: MEDIATING,
  AddParty: OPEN,
  ExtendMediation: MEDIATING,
  PauseMediationClock: MEDIATING,
  ResumeMediationClock: MEDIATING,
  RecuseMediator: OPEN,
  EndMediation: [...OPEN, 'DISPUTE_STATE_AGREED'],
  InformPolice: [...OPEN, 'DISPUTE_STATE_AGREED'],
}

/** Where an agreement may go by word (agreement_status.csv); enforcement only after a court confirmed. */
const NEXT: Partial<Record<AgreementStatus, readonly AgreementStatus[]>> = {
  AGREEMENT_STATUS_EFFECTIVE: ['AGREEMENT_STATUS_PERFORMING', 'AGREEMENT_STATUS_SUED'],
  AGREEMENT_STATUS_PERFORMING: ['AGREEMENT_STATUS_PERFORMED', 'AGREEMENT_STATUS_DEFAULTED'],
  AGREEMENT_STATUS_DEFAULTED: ['AGREEMENT_STATUS_SUED', 'AGREEMENT_STATUS_ENFORCEMENT_APPLIED'],
  AGREEMENT_STATUS_CONFIRMED: ['AGREEMENT_STATUS_PERFORMING', 'AGREEMENT_STATUS_ENFORCEMENT_APPLIED'],
  AGREEMENT_STATUS_REJECTED: ['AGREEMENT_STATUS_SUED'],
}
const LAST: readonly AgreementStatus[] = ['AGREEMENT_STATUS_PERFORMED', 'AGREEMENT_STATUS_SUED', 'AGREEMENT_STATUS_ENFORCEMENT_APPLIED']
const VISITS = ['REMINDER_KIND_FIRST_VISIT', 'REMINDER_KIND_SECOND_VISIT']

export const nextStatuses = (agreement: Agreement | undefined): AgreementStatus[] =>
  (NEXT[agreement?.status ?? 'AGREEMENT_STATUS_UNSPECIFIED'] ?? []).filter((status) => status !== 'AGREEMENT_STATUS_ENFORCEMENT_APPLIED' || !!agreement?.confirmation?.confirmed)

/** The mediator in office. */
export const inOffice = (dispute: Dispute): Mediator | undefined => dispute.mediators?.findLast((mediator) => !mediator.recusedAt)

/** A mediator touches only the disputes in which they are in office. */
export function inCharge(dispute: Dispute, me: Me): boolean {
  const mediator = inOffice(dispute)
  return !mediator || mediator.subject === me.sub || me.roles.some((role) => role !== 'GRID_MEDIATOR')
}

const statusOf = (dispute: Dispute): AgreementStatus => dispute.agreement?.status ?? 'AGREEMENT_STATUS_UNSPECIFIED'
const isDraft = (dispute: Dispute): boolean => statusOf(dispute) === 'AGREEMENT_STATUS_DRAFT'
const noneYet = (dispute: Dispute): boolean => !dispute.agreement || isDraft(dispute)
const refused = (dispute: Dispute): boolean => statusOf(dispute) === 'AGREEMENT_STATUS_REJECTED'
const draftable = (dispute: Dispute): boolean => (noneYet(dispute) || refused(dispute)) && !!dispute.sessions?.length
const ofKind = (dispute: Dispute, kind: string): boolean => !!dispute.category?.startsWith(kind)

/** Visits still to be made, earliest first. */
export const openVisits = (dispute: Dispute): Reminder[] => (dispute.reminders ?? []).filter((one) => VISITS.includes(one.kind ?? '') && !one.doneAt)

/** Who has not signed yet: party ids, "mediator", "committee". */
export function unsigned(dispute: Dispute): string[] {
  const signed = new Set(dispute.agreement?.signatures?.map((one) => one.signer))
  return [...(dispute.parties ?? []).map((party) => party.partyId ?? ''), 'mediator', 'committee'].filter((signer) => !signed.has(signer))
}

function confirmable(dispute: Dispute, now: number): boolean {
  const { agreement } = dispute
  const eligible = agreement && !agreement.oral && !agreement.touchesStatus && dispute.category !== '0101'
  return !!eligible && statusOf(dispute) === 'AGREEMENT_STATUS_EFFECTIVE' && now < at(agreement.confirmUntil)
}

/** Conditions beside state and role (`now` in ms). The clock of a dispute under appraisal is met: it stands. */
const GUARDS: Partial<Record<DisputeVerb, (dispute: Dispute, now: number) => boolean>> = {
  BeginMediation: (dispute) => obstacles(dispute).length === 0,
  AppointMediator: (dispute) => !inOffice(dispute),
  RecuseMediator: (dispute) => !!inOffice(dispute),
  AddParty: (dispute) => !dispute.agreement,
  DraftAgreement: draftable,
  RecordOralAgreement: draftable,
  SignAgreement: (dispute) => isDraft(dispute) && unsigned(dispute).length > 0,
  RecordVisit: (dispute) => openVisits(dispute).length > 0,
  ChangeAgreement: (dispute) => nextStatuses(dispute.agreement).length > 0,
  ApplyConfirmation: confirmable,
  DecideConfirmation: (dispute) => statusOf(dispute) === 'AGREEMENT_STATUS_CONFIRMATION_APPLIED',
  CloseDispute: (dispute) => LAST.includes(statusOf(dispute)) && (statusOf(dispute) !== 'AGREEMENT_STATUS_PERFORMED' || openVisits(dispute).length === 0),
  ExtendMediation: (dispute) => !ofKind(dispute, '05') && !!dispute.clock && !dispute.clock.metAt,
  PauseMediationClock: (dispute) => ofKind(dispute, '07') && !!dispute.clock && !dispute.clock.metAt,
  ResumeMediationClock: (dispute) => ofKind(dispute, '07') && !!dispute.clock?.metAt,
  EndMediation: (dispute) => noneYet(dispute) || refused(dispute),
}

export function disputeVerbs(dispute: Dispute, me: Me, now: number): DisputeVerb[] {
  if (!inCharge(dispute, me)) return []
  return (Object.keys(FROM) as DisputeVerb[]).filter(
    (verb) => dispute.state && FROM[verb].includes(dispute.state) && mayCall(verb) && (GUARDS[verb]?.(dispute, now) ?? true),
  )
}

export function partyVerbs(dispute: Dispute, party: Party, me: Me): PartyVerb[] {
  if (!dispute.state || !OPEN.includes(dispute.state) || !inCharge(dispute, me)) return []
  const mediator = inOffice(dispute)
  const waits = !!mediator && !mediator.acceptedBy?.includes(party.partyId ?? '')
  return [...(mayCall('RecordConsent') ? (['RecordConsent'] as const) : []), ...(waits && mayCall('AcceptMediator') ? (['AcceptMediator'] as const) : [])]
}

export interface Obstacle {
  kind: 'consent' | 'mediator' | 'accepted' | 'sides'
  party?: Party
}

/** What has to be there before a mediation begins (人民调解法 17, 19, 23). */
export function obstacles(dispute: Dispute): Obstacle[] {
  const parties = dispute.parties ?? []
  const mediator = inOffice(dispute)
  const sides = (['PARTY_SIDE_APPLICANT', 'PARTY_SIDE_RESPONDENT'] as const).every((side) => parties.some((party) => party.side === side))
  return [
    ...(sides ? [] : [{ kind: 'sides' } as const]),
    ...parties.filter((party) => party.consent !== 'CONSENT_GIVEN').map((party) => ({ kind: 'consent', party }) as const),
    ...(mediator ? [] : [{ kind: 'mediator' } as const]),
    ...(mediator ? parties.filter((party) => !mediator.acceptedBy?.includes(party.partyId ?? '')).map((party) => ({ kind: 'accepted', party }) as const) : []),
  ]
}

/** Papers that have something to say by now. */
export function papersOf(dispute: Dispute): DisputePaper[] {
  const { agreement } = dispute
  const written = !!agreement && !agreement.oral
  const ready: Partial<Record<DisputePaper, boolean>> = {
    DISPUTE_PAPER_AGREEMENT: written,
    DISPUTE_PAPER_ORAL_AGREEMENT: !!agreement?.oral,
    DISPUTE_PAPER_REGISTRATION: true,
    DISPUTE_PAPER_RECORD: !!dispute.sessions?.length,
    DISPUTE_PAPER_NOTICE: dispute.state === 'DISPUTE_STATE_STOPPED' || !!dispute.notice,
    DISPUTE_PAPER_CONFIRMATION: written && !!agreement.confirmUntil,
    DISPUTE_PAPER_VISITS: !!dispute.visits?.length,
  }
  return (Object.keys(ready) as DisputePaper[]).filter((paper) => ready[paper])
}

/** The open reminder that is due first. */
export const nextReminder = (dispute: Dispute): Reminder | undefined =>
  (dispute.reminders ?? []).filter((one) => !one.doneAt).reduce<Reminder | undefined>((first, one) => (first && at(first.dueAt) <= at(one.dueAt) ? first : one), undefined)

/** Whether the limit of the mediation still counts. */
export const isRunning = (dispute: Dispute): boolean => !!dispute.state && OPEN.includes(dispute.state) && !!dispute.clock?.dueAt
