import { beforeEach, describe, expect, it, vi } from 'vitest'
import { periodsAt, resolvedShare } from '@/dispute/figures'
import { AgreementStatus, Consent, DisputePaper, DisputeState, PartySide, PoliceGround, RecusalGround, ReminderKind, SignatureWay, type Dispute, type MediationCommittee } from '@/generated/contract'
import { nameOf, peopleOf } from '@/dispute/committees'
import { fromQuery, toQuery, toRequest } from '@/dispute/filter'
import { FIELDS } from '@/dispute/forms'
import { centsOf, isWholeParties, isWholeTerms, yuanOf } from '@/dispute/rows'
import { disputeVerbs, nextReminder, nextStatuses, obstacles, papersOf, partyVerbs, unsigned } from '@/dispute/verbs'
import { en, zh } from '@/dispute/words'
import { faultsIn, missingIn, requestIn } from '@/forms/fields'

const may = vi.hoisted(() => ({ call: (_: string): boolean => true }))
vi.mock('@/i18n', () => ({ language: { value: 'zh' } }))
vi.mock('@/api/session', () => ({ mayCall: (rpc: string) => may.call(rpc), currentUser: { value: null } }))

const NOW = Date.parse('2026-11-16T02:00:00Z')
const me = { sub: 'zhao', name: '赵敏', roles: ['GRID_MEDIATOR'], area: '4205', department: '' }
const a = { partyId: 'a', side: 'PARTY_SIDE_APPLICANT', name: '王', consent: 'CONSENT_GIVEN' } as const
const b = { partyId: 'b', side: 'PARTY_SIDE_RESPONDENT', name: '李', consent: 'CONSENT_GIVEN' } as const
const mediator = { subject: 'zhao', name: '赵敏', acceptedBy: ['a', 'b'] }
const dispute: Dispute = { disputeId: 'd', state: 'DISPUTE_STATE_MEDIATING', category: '0202', parties: [a, b], mediators: [mediator], clock: { dueAt: '2026-12-16T02:00:00Z' } }
const committee: MediationCommittee = { code: 'C1', members: [{ subject: 'zhao', name: '赵敏' }], mediators: [{ subject: 'qian', name: '钱进' }] }
const context = { dispute, party: null, me, committee, now: NOW }

beforeEach(() => (may.call = () => true))

describe('figures of mediation', () => {
  it('are of this year, its quarters so far, and last year, in Shanghai', () => {
    expect(periodsAt(Date.parse('2026-06-30T15:59:59Z'))).toEqual(['2026', '2026-Q2', '2026-Q1', '2025'])
    expect(periodsAt(Date.parse('2026-12-31T16:00:00Z'))).toEqual(['2027', '2027-Q1', '2026'])
  })

  it('have a share only where something came to a result', () => {
    expect([resolvedShare({ decided: '8', resolved: '5' }), resolvedShare({ decided: '2' }), resolvedShare({}), resolvedShare(undefined)]).toEqual([63, 0, null, null])
  })
})

describe('before a mediation begins', () => {
  const registered: Dispute = { ...dispute, state: 'DISPUTE_STATE_REGISTERED' }

  it('everybody consents and accepts the mediator', () => {
    expect(obstacles(registered)).toEqual([])
    expect(disputeVerbs(registered, me, NOW)[0]).toBe('BeginMediation')
    const asked: Dispute = { ...registered, parties: [a, { ...b, consent: 'CONSENT_UNSPECIFIED' }], mediators: [{ ...mediator, acceptedBy: ['a'] }] }
    expect(obstacles(asked).map(({ kind, party }) => [kind, party?.partyId])).toEqual([['consent', 'b'], ['accepted', 'b']])
    expect(disputeVerbs(asked, me, NOW)).not.toContain('BeginMediation')
    expect(partyVerbs(asked, b, me)).toEqual(['RecordConsent', 'AcceptMediator'])
    expect(obstacles({ ...registered, mediators: [], parties: [a] }).map(({ kind }) => kind)).toEqual(['sides', 'mediator'])
  })
})

describe('what is offered', () => {
  it('is nothing to another mediator, and all to whoever heads the street', () => {
    expect(disputeVerbs(dispute, { ...me, sub: 'qian' }, NOW)).toEqual([])
    expect(disputeVerbs(dispute, { ...me, sub: 'sun', roles: ['STREET_CENTER'] }, NOW)).toContain('RecordSession')
  })

  it('follows the agreement', () => {
    const held: Dispute = { ...dispute, sessions: [{}] }
    expect(disputeVerbs(held, me, NOW)).toEqual(['RecordSession', 'DraftAgreement', 'RecordOralAgreement', 'AddParty', 'ExtendMediation', 'RecuseMediator', 'EndMediation', 'InformPolice'])
    const drafted: Dispute = { ...held, agreement: { status: 'AGREEMENT_STATUS_DRAFT', signatures: [{ signer: 'a' }] } }
    expect(disputeVerbs(drafted, me, NOW)[0]).toBe('SignAgreement')
    expect(unsigned(drafted)).toEqual(['b', 'mediator', 'committee'])
    const effective: Dispute = { ...held, state: 'DISPUTE_STATE_AGREED', agreement: { status: 'AGREEMENT_STATUS_EFFECTIVE', confirmUntil: '2026-12-16T00:00:00Z' } }
    expect(disputeVerbs(effective, me, NOW)).toEqual(['ChangeAgreement', 'ApplyConfirmation', 'InformPolice'])
    expect(disputeVerbs({ ...effective, agreement: { ...effective.agreement, oral: true } }, me, NOW)).not.toContain('ApplyConfirmation')
    expect(disputeVerbs(effective, me, Date.parse('2026-12-17T00:00:00Z'))).not.toContain('ApplyConfirmation')
  })

  it('closes with the agreement at its end and every visit made', () => {
    const performed: Dispute = { ...dispute, state: 'DISPUTE_STATE_AGREED', agreement: { status: 'AGREEMENT_STATUS_PERFORMED' }, reminders: [{ kind: 'REMINDER_KIND_FIRST_VISIT' }] }
    expect(disputeVerbs(performed, me, NOW)).toEqual(['RecordVisit', 'InformPolice'])
    expect(disputeVerbs({ ...performed, reminders: [] }, me, NOW)).toContain('CloseDispute')
  })

  it('extends no labour mediation and pauses medical ones alone', () => {
    const of = (category: string): string[] => disputeVerbs({ ...dispute, category }, me, NOW)
    expect([of('0501').includes('ExtendMediation'), of('0701').includes('PauseMediationClock'), of('0202').includes('PauseMediationClock')]).toEqual([false, true, false])
  })

  it('enforces what a court confirmed', () => {
    expect(nextStatuses({ status: 'AGREEMENT_STATUS_DEFAULTED' })).toEqual(['AGREEMENT_STATUS_SUED'])
    expect(nextStatuses({ status: 'AGREEMENT_STATUS_DEFAULTED', confirmation: { confirmed: true } })).toEqual(['AGREEMENT_STATUS_SUED', 'AGREEMENT_STATUS_ENFORCEMENT_APPLIED'])
  })

  it('makes papers of what there is', () => {
    expect(papersOf(dispute)).toEqual(['DISPUTE_PAPER_REGISTRATION'])
    expect(papersOf({ ...dispute, sessions: [{}], agreement: { confirmUntil: '2026-12-16T00:00:00Z' }, visits: [{}] })).toEqual([
      'DISPUTE_PAPER_AGREEMENT', 'DISPUTE_PAPER_REGISTRATION', 'DISPUTE_PAPER_RECORD', 'DISPUTE_PAPER_CONFIRMATION', 'DISPUTE_PAPER_VISITS',
    ])
    expect(nextReminder({ reminders: [{ dueAt: '2026-12-02T00:00:00Z' }, { dueAt: '2026-12-01T00:00:00Z' }, { dueAt: '2026-11-01T00:00:00Z', doneAt: '2026-11-01T00:00:00Z' }] })?.dueAt).toBe('2026-12-01T00:00:00Z')
  })
})

describe('the forms', () => {
  it('name somebody of the committee', () => {
    expect(peopleOf(committee).map(({ value }) => value)).toEqual(['zhao', 'qian'])
    expect(nameOf(committee, 'qian')).toBe('钱进')
    const values = { subject: 'qian', byParties: true, acceptedBy: ['a'] }
    expect(requestIn(FIELDS.AppointMediator, values, context)).toEqual({ subject: 'qian', name: '钱进', byParties: true, acceptedBy: ['a'] })
  })

  it('take every party where the law wants all of them', () => {
    expect(faultsIn(FIELDS.NotifyRemedies, { told: ['a'], way: 'x' }, context)).toEqual({ told: 'dispute.fault.notAll' })
    expect(faultsIn(FIELDS.NotifyRemedies, { told: ['a', 'b'], way: 'x' }, context)).toEqual({})
    expect(missingIn(FIELDS.EndMediation, { result: '04', text: 'x', told: ['a', 'b'] }, context)).toEqual(['way'])
    expect(missingIn(FIELDS.EndMediation, { result: '03', text: 'x' }, context)).toEqual([])
  })

  it('know whole parties and terms', () => {
    const party = (side: (typeof PartySide)[number], name = '王') => ({ side, type: '01', name })
    expect([isWholeParties([party('PARTY_SIDE_APPLICANT'), party('PARTY_SIDE_RESPONDENT')]), isWholeParties([party('PARTY_SIDE_APPLICANT'), party('PARTY_SIDE_THIRD')]), isWholeParties([party('PARTY_SIDE_APPLICANT'), party('PARTY_SIDE_RESPONDENT', ' ')])]).toEqual([true, false, false])
    const term = { obligor: 'b', obligee: 'a', content: '赔偿', way: '转账', dueOn: '2026-12-31' }
    expect([isWholeTerms([term]), isWholeTerms([{ ...term, obligee: 'b' }]), isWholeTerms([{ ...term, dueOn: '' }])]).toEqual([true, false, false])
  })

  it('count money in 0.01 yuan', () => {
    expect([centsOf(3500), centsOf(0.29), centsOf(null)]).toEqual(['350000', '29', ''])
    expect([yuanOf('350000'), yuanOf('0'), yuanOf(undefined)]).toEqual([3500, null, null])
  })
})

describe('the list', () => {
  it('keeps its choices in the address and asks for what they mean', () => {
    const wanted = fromQuery({ mine: '1', due: 'soon', other: 'x' })
    expect(toQuery(wanted)).toEqual({ mine: '1', due: 'soon' })
    expect(toRequest(wanted, 'zhao', NOW)).toEqual({ mediator: 'zhao', dueBefore: '2026-11-23T02:00:00.000Z' })
  })
})

describe('words', () => {
  it('name every value of the enums, and every verb and field', () => {
    for (const words of [zh, en]) {
      const kept: [object, readonly string[]][] = [
        [words.state, DisputeState], [words.side, PartySide], [words.consent, Consent], [words.ground, RecusalGround], [words.police, PoliceGround],
        [words.status, AgreementStatus], [words.signature, SignatureWay], [words.reminder, ReminderKind], [words.paper, DisputePaper],
      ]
      for (const [table, values] of kept) expect(Object.keys(table)).toEqual(expect.arrayContaining([...values]))
      expect(Object.keys(words.verb)).toEqual(expect.arrayContaining(Object.keys(FIELDS)))
      const labels = Object.values(FIELDS).flat().map(({ label }) => label.replace('dispute.field.', ''))
      expect(labels.filter((label) => !(label in words.field))).toEqual([])
    }
  })
})
