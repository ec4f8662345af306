/** What completing an order to go and look asks for. Pure. */
import type { FieldLedger } from '@/generated/contract'
import { always, type Field } from '@/forms/fields'
import { foundOf, foundRows, isWhole, type FoundRow } from './edits'
import FoundRows from './FoundRows.vue'

export interface CheckContext {
  ledger: FieldLedger
}

export const CHECK_FIELDS: Field<CheckContext>[] = [
  {
    name: 'found', kind: 'own', label: 'collection.found', required: always, component: FoundRows, initial: ({ ledger }) => foundRows(ledger),
    fault: (rows) => (isWhole(rows as FoundRow[]) ? '' : 'reason.FIELD_MISSING'), wire: (rows) => ({ ...foundOf(rows as FoundRow[]) }), aliases: ['declined'],
  },
  { name: 'evidence', kind: 'attachments', label: 'collection.evidence', required: always },
]
