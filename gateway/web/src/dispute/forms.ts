/** What each verb of a mediation asks for. Pure. */
import type { Me } from '@/api/session'
import { PoliceGround, RecusalGround, type Case, type Dispute, type MediationCommittee, type Party } from '@/generated/contract'
import { always, isEmpty, localOf, type Field, type Option, type Values, type Words } from '@/forms/fields'
import { codesOf } from '@/model/codes'
import tables from '@/generated/codes.json'
import { nameOf, peopleOf } from './committees'
import AttendanceRows from './AttendanceRows.vue'
import PartyEditor from './PartyEditor.vue'
import PartyRows from './PartyRows.vue'
import { isWholeAttendance, isWholeParty, isWholeParties, isWholeTerms, partyName } from './rows'
import SignatureRows from './SignatureRows.vue'
import TermRows from './TermRows.vue'
import { nextStatuses, type Verb } from './verbs'

export interface Context {
  dispute: Dispute
  party: Party | null
  me: Me
  /** As the register has it; only its people mediate. */
  committee: MediationCommittee | null
  /** The server's time, ms. */
  now: number
}

type DisputeField = Field<Context>
type Make = Partial<DisputeField>

const field = (name: string, kind: DisputeField['kind'], more: Make = {}): DisputeField => ({ name, kind, label: `dispute.field.${name}`, ...more })
const text = (name: string, more: Make = {}): DisputeField => field(name, 'text', { required: always, ...more })
const line = (name: string, more: Make = {}): DisputeField => field(name, 'line', { required: always, ...more })
const verdict = (name: string, yes: string, no: string): DisputeField => field(name, 'verdict', { required: always, yes: `dispute.${yes}`, no: `dispute.${no}` })
const files = (name = 'attachments'): DisputeField => field(name, 'attachments')
const optional = { required: undefined }
const reason = text('reason')

const parties = ({ dispute }: Context, words: Words): Option[] => (dispute.parties ?? []).map((party) => ({ value: party.partyId ?? '', label: partyName(party, words.t) }))
const isAll = (value: unknown, { dispute }: Context): boolean => (value as string[]).length === (dispute.parties?.length ?? 0)
/** Parties of whom all have to be named. */
const everybody = (name: string, more: Make = {}): DisputeField =>
  field(name, 'several', { required: always, options: parties, fault: (value, context) => (isAll(value, context) ? '' : 'dispute.fault.notAll'), ...more })
const choose = (name: string, values: readonly string[], prefix: string): DisputeField =>
  field(name, 'choice', { required: always, options: (_, { t }) => values.map((value) => ({ value, label: t(`${prefix}.${value}`) })) })
const codes = (rows: readonly { code: string; zh: string; en: string }[], words: Words): Option[] => rows.map((row) => ({ value: row.code, label: row[words.language] }))
const moment = (name: string, more: Make = {}): DisputeField => field(name, 'time', { hint: 'dispute.field.beijing', ...more })
const past = (value: unknown, { now }: Context): string => (String(value) > localOf(now) ? 'dispute.fault.future' : '')
const ahead = (value: unknown, { now }: Context): string => (String(value) <= localOf(now) ? 'reason.UNTIL_PAST' : '')

/** Results that end a mediation without an agreement; those of a failure ask for the notice of remedies (art. 26). */
const ENDS = tables.results.filter((row) => row.final === 'Y' && row.code > '02')
const FAILURES = ['04', '05', '07']
const failed = ({ result }: Values): boolean => FAILURES.includes(String(result))

const terms = (more: Make = {}): DisputeField =>
  field('terms', 'own', {
    required: always, component: TermRows, initial: ({ dispute }) => dispute.agreement?.terms ?? [],
    fault: (value) => (isWholeTerms(value) ? '' : 'dispute.fault.terms'), ...more,
  })
const facts = text('facts', { initial: ({ dispute }) => dispute.agreement?.facts ?? '' })
/** Somebody of the committee; the request says the name beside the subject. */
const mediatorOf = (subject: string, name: string, more: Make): DisputeField =>
  field(subject, 'choice', { options: ({ committee }) => peopleOf(committee), wire: (value, { committee }) => ({ [subject]: value, [name]: nameOf(committee, value) }), ...more })

export const FIELDS: Record<Verb, DisputeField[]> = {
  BeginMediation: [],
  RecordConsent: [verdict('given', 'answer.consents', 'answer.refuses'), text('text', { label: 'dispute.field.consentText', required: ({ given }) => given === false })],
  AcceptMediator: [],
  AddParty: [
    field('party', 'own', { required: always, component: PartyEditor, initial: () => ({ side: 'PARTY_SIDE_THIRD', type: '01' }), fault: (value) => (isWholeParty(value as Party) ? '' : 'app.required') }),
  ],
  AppointMediator: [
    mediatorOf('subject', 'name', { label: 'dispute.field.mediatorName', required: always, initial: (context) => (peopleOf(context.committee).some((one) => one.value === context.me.sub) ? context.me.sub : undefined) }),
    verdict('byParties', 'answer.chosen', 'answer.proposed'),
    field('acceptedBy', 'several', { options: parties }),
    field('declared', 'several', { options: (_, { t }) => RecusalGround.slice(1, 4).map((ground) => ({ value: ground, label: t(`dispute.ground.${ground}`) })) }),
  ],
  RecuseMediator: [
    { ...choose('ground', RecusalGround.slice(1), 'dispute.ground'), label: 'dispute.field.recusalGround' },
    reason,
    mediatorOf('substituteSubject', 'substituteName', { label: 'dispute.field.substituteName', hint: 'dispute.field.substituteHint' }),
  ],
  RecordSession: [
    moment('heldAt', { hint: 'dispute.field.heldHint', fault: past }),
    field('attendance', 'own', { required: always, component: AttendanceRows, fault: (value, { dispute }) => (isWholeAttendance(value, dispute) ? '' : 'dispute.fault.attendance') }),
    text('record'),
    field('method', 'choice', { options: (_, words) => codes(codesOf('methods'), words), initial: () => '02' }),
    field('lengthMinutes', 'number', { number: () => ({ min: 0, max: 1440, step: 5 }) }),
    line('place', optional),
    moment('nextAt', { fault: ahead }),
    files(),
  ],
  ExtendMediation: [moment('until', { required: always, fault: ahead }), everybody('agreedBy')],
  PauseMediationClock: [text('reason', { label: 'dispute.field.appraisal' })],
  ResumeMediationClock: [],
  InformPolice: [{ ...choose('ground', PoliceGround.slice(1), 'dispute.police'), label: 'dispute.field.policeGround' }, text('text', { label: 'dispute.field.policeText', ...optional })],
  EndMediation: [
    field('result', 'choice', { required: always, options: (_, words) => codes(ENDS, words) }),
    text('text', { label: 'dispute.field.resultText' }),
    everybody('told', { required: undefined, shown: failed }),
    line('way', { shown: failed, required: ({ told }) => !isEmpty(told) }),
  ],
  NotifyRemedies: [everybody('told'), line('way')],
  DraftAgreement: [facts, terms(), field('touchesStatus', 'verdict', { yes: 'dispute.answer.yes', no: 'dispute.answer.no', required: always, initial: ({ dispute }) => dispute.agreement?.touchesStatus ?? false })],
  RecordOralAgreement: [facts, terms()],
  SignAgreement: [field('signatures', 'own', { required: always, component: SignatureRows }), files('scans')],
  ChangeAgreement: [
    field('status', 'choice', { required: always, options: ({ dispute }, { t }) => nextStatuses(dispute.agreement).map((status) => ({ value: status, label: t(`dispute.status.${status}`) })) }),
    text('remark', optional),
    files(),
  ],
  ApplyConfirmation: [line('court'), everybody('applicants')],
  DecideConfirmation: [verdict('confirmed', 'confirmed', 'notConfirmed'), line('reference'), text('remark', optional)],
  RecordVisit: [text('text', { label: 'dispute.field.visit' }), verdict('performed', 'performed', 'notPerformed'), files()],
  CloseDispute: [],
}

export const GRAVE: readonly Verb[] = ['EndMediation', 'InformPolice', 'RecuseMediator']
/** Verbs whose forms have rows of several columns. */
export const WIDE: readonly Verb[] = ['DraftAgreement', 'RecordOralAgreement', 'AddParty', 'RecordSession', 'SignAgreement']

export interface OpenContext {
  item: Case
  /** Those of the register that may keep the file, nearest first. */
  committees: MediationCommittee[]
}

export const OPEN_FIELDS: Field<OpenContext>[] = [
  {
    name: 'category', kind: 'choice', label: 'dispute.field.category', required: always, initial: ({ item }) => item.category?.slice(1),
    options: (_, words) => codes(tables.disputes.filter((row) => row.mediable !== 'N' && row.code !== '0105'), words),
  },
  { name: 'description', kind: 'text', label: 'dispute.field.description', required: always, initial: ({ item }) => item.description },
  {
    name: 'condition', kind: 'text', label: 'dispute.field.condition', hint: 'dispute.field.conditionHint', required: always,
    shown: ({ category }) => tables.disputes.find((row) => row.code === category)?.mediable === 'C',
  },
  {
    name: 'parties', kind: 'own', label: 'dispute.field.parties', required: always, component: PartyRows, fault: (value) => (isWholeParties(value) ? '' : 'dispute.fault.parties'),
    initial: () => [{ side: 'PARTY_SIDE_APPLICANT', type: '01' }, { side: 'PARTY_SIDE_RESPONDENT', type: '01' }],
  },
  {
    name: 'committee', kind: 'choice', label: 'dispute.committee', hint: ({ committees }, { t }) => (committees.length ? '' : t('dispute.field.committeeHint')), required: always,
    initial: ({ committees }) => committees[0]?.code, link: ({ item }) => ({ to: `/committees?area=${item.areaCode?.slice(0, 6) ?? ''}`, label: 'committee.inNewWindow' }),
    options: ({ committees }) => committees.map((one) => ({ value: one.code ?? '', label: one.name ?? '' })),
    wire: (value, { committees }) => ({ committee: { code: value, name: committees.find((one) => one.code === value)?.name } }),
  },
  { name: 'peopleInvolved', kind: 'number', label: 'dispute.field.peopleInvolved', number: () => ({ min: 0, max: 1_000_000, step: 1 }) },
]
