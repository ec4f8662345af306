/** Who writes into the workspace of a case, and what an entry asks for. Pure. */
import type { Me } from '@/api/session'
import { EntryKind, Visibility, type Case } from '@/generated/contract'
import { always, isEmpty, type Field } from '@/forms/fields'
import { isFinal } from '@/model/workflow'

const OF_DEPARTMENTS = ['DEPT_HANDLER', 'DEPT_LEAD']

/** Departments with a task in the case, coordinators and the people of its grid, as long as somebody works on it. */
export function mayWrite(item: Case, me: Me): boolean {
  if (isFinal(item.state) || item.state === 'CASE_STATE_DRAFT') return false
  const elsewhere = me.roles.some((role) => !OF_DEPARTMENTS.includes(role))
  return elsewhere || (item.tasks ?? []).some((task) => task.department === me.department && task.state !== 'TASK_STATE_REMOVED')
}

export const entryFields: Field<Me>[] = [
  {
    name: 'kind', kind: 'choice', label: 'workspace.field.kind', required: always, initial: () => 'ENTRY_KIND_NOTE',
    options: (_, { t }) => EntryKind.slice(1).map((kind) => ({ value: kind, label: t(`workspace.kind.${kind}`) })),
  },
  { name: 'text', kind: 'text', label: 'workspace.field.text', required: ({ attachments }) => isEmpty(attachments) },
  {
    name: 'visibility', kind: 'choice', label: 'workspace.field.visibility', required: always, initial: () => 'VISIBILITY_DEPARTMENTS',
    options: (me, { t }) => Visibility.slice(1).filter((one) => one !== 'VISIBILITY_DEPARTMENT' || me.department).map((one) => ({ value: one, label: t(`workspace.visibility.${one}`) })),
  },
  { name: 'attachments', kind: 'attachments', label: 'workspace.field.attachments' },
]
