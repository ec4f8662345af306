/** What requests about one's own data ask for, and who is offered which step. Pure. */
import { always, type Field } from '@/forms/fields'
import { mayCall } from '@/api/session'
import { DataDecision, Requester, type DataRequest } from '@/generated/contract'
import { codesOf } from '@/model/codes'
import { COLLECTED } from '@/collection/edits'

export type Verb = 'SubmitDataRequest' | 'SubmitMyDataRequest' | 'DecideDataRequest' | 'ExtendDataRequest' | 'CarryOutDataRequest' | 'WithdrawDataRequest' | 'LinkAccount' | 'UnlinkAccount'
/** What is asked, when that is known already. */
export interface Asked {
  kind?: string
}
type RightsField = Field<Asked | null>

/** Requests that name fields: corrections and objections. */
const NAMES_FIELDS = ['R2', 'R5']
const field = (name: string, kind: RightsField['kind'], more: Partial<RightsField> = {}): RightsField => ({ name, kind, label: `rights.field.${name}`, ...more })
const named = ({ kind }: Record<string, unknown>): boolean => NAMES_FIELDS.includes(String(kind))

const WHAT: RightsField[] = [
  field('kind', 'choice', { required: always, options: (_, { language }) => codesOf('dataRights').map((row) => ({ value: row.code, label: `${row.code} ${row[language]}` })), initial: (asked) => asked?.kind }),
  field('fields', 'several', { shown: named, required: named, options: (_, { t }) => COLLECTED.map((value) => ({ value, label: t(`people.field.${value}`) })) }),
  field('details', 'text', { required: named, hint: 'rights.field.detailsHint' }),
]
const reason = field('reason', 'text', { required: always })
const choice = (name: string, values: readonly string[], prefix: string): RightsField => field(name, 'choice', { required: always, options: (_, { t }) => values.map((value) => ({ value, label: t(`${prefix}.${value}`) })) })

export const FIELDS: Record<Verb, RightsField[]> = {
  SubmitDataRequest: [{ ...choice('requester', Requester.slice(1), 'rights.requester'), initial: () => 'REQUESTER_SELF' }, ...WHAT],
  SubmitMyDataRequest: WHAT,
  DecideDataRequest: [choice('decision', DataDecision.slice(1), 'rights.decision'), reason],
  ExtendDataRequest: [reason],
  CarryOutDataRequest: [field('done', 'text', { required: always })],
  WithdrawDataRequest: [],
  LinkAccount: [field('account', 'line', { required: always, hint: 'rights.field.accountHint' })],
  // Nobody ends every link by leaving a field empty: that is chosen.
  UnlinkAccount: [
    field('account', 'line', { required: always, shown: ({ allAccounts }) => !allAccounts, hint: 'rights.field.accountHint' }),
    field('allAccounts', 'switch', { hint: 'rights.field.allAccountsHint', initial: () => false, wire: () => ({}) }),
  ],
}

const OPEN = ['DATA_REQUEST_STATE_SUBMITTED', 'DATA_REQUEST_STATE_GRANTED']
export const isOpen = (request: DataRequest): boolean => OPEN.includes(request.state ?? '')

/** Steps the state of a request allows. */
export function stepsOf(request: DataRequest): Verb[] {
  if (!isOpen(request)) return []
  const next: Verb[] = request.state === 'DATA_REQUEST_STATE_SUBMITTED' ? ['DecideDataRequest'] : ['CarryOutDataRequest']
  return [...next, ...(request.extended ? [] : ['ExtendDataRequest' as const]), 'WithdrawDataRequest']
}

/** Those of them the caller may take. */
export const verbsOf = (request: DataRequest): Verb[] => stepsOf(request).filter((verb) => mayCall(verb))

/** What residents ask for most, each with a button of its own (dsr_type.csv): correct, object, take consent back, erase. */
export const OWN_KINDS = ['R2', 'R5', 'R4', 'R3'] as const
