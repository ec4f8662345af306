/** What the steps of care and welfare ask for. Pure. */
import { always, isEmpty, type Field } from '@/forms/fields'
import { AlertCause } from '@/generated/contract'

export type Verb = 'CareRecordVisit' | 'RenewCare' | 'EndCare' | 'TakeStep' | 'RaiseAlert' | 'NoteAbsence'
type CareField = Field<null>
const field = (name: string, kind: CareField['kind'], more: Partial<CareField> = {}): CareField => ({ name, kind, label: `care.field.${name}`, ...more })

export const FIELDS: Record<Verb, CareField[]> = {
  CareRecordVisit: [
    field('nothingToReport', 'switch', { initial: () => false }),
    field('notes', 'text', { required: (values) => !values.nothingToReport && isEmpty(values.evidence) }),
    field('evidence', 'attachments'),
  ],
  RenewCare: [field('expiresOn', 'day', { required: always })],
  EndCare: [field('withdrawn', 'switch', { initial: () => false }), field('reason', 'text', { required: always })],
  TakeStep: [field('well', 'verdict', { required: always, yes: 'care.wellMark', no: 'care.notWell' }), field('result', 'text', { required: always }), field('evidence', 'attachments')],
  // What the waterworks tell is not raised by hand.
  RaiseAlert: [field('cause', 'choice', { required: always, options: (_, { t }) => AlertCause.slice(2).map((value) => ({ value, label: t(`care.cause.${value}`) })) })],
  NoteAbsence: [field('awayUntil', 'day')],
}
