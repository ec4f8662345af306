import { describe, expect, it, vi } from 'vitest'
import { FIELDS, type Context } from '@/case/forms'
import { missingIn, shownFields } from '@/forms/fields'
import type { Task } from '@/generated/contract'

vi.mock('@/i18n', () => ({}))

const lead: Task = { taskId: '1', department: 'PMC', role: 'TASK_ROLE_LEAD', state: 'TASK_STATE_ACCEPTED' }
const joint: Task = { taskId: '2', department: 'FIRE', role: 'TASK_ROLE_JOINT', state: 'TASK_STATE_ACCEPTED' }
const formOf = (task: Task, ...tasks: Task[]): { asks: string[]; needs: string[] } => {
  const context: Context = { item: { caseId: '0', tasks }, task, now: 0 }
  return { asks: shownFields(FIELDS.CompleteTask, {}, context).map(({ name }) => name), needs: missingIn(FIELDS.CompleteTask, {}, context) }
}

describe('the form that completes a task', () => {
  it('asks the only department of a case for a photograph of its work', () => {
    expect(formOf(lead, lead)).toEqual({ asks: ['result', 'evidence'], needs: ['result', 'evidence'] })
  })

  it('asks nobody of a parallel case for one; its lead replies for all', () => {
    expect(formOf(lead, lead, joint)).toEqual({ asks: ['result', 'unifiedReply', 'partiesInformed', 'evidence'], needs: ['result', 'unifiedReply', 'partiesInformed'] })
    expect(formOf(joint, lead, joint)).toEqual({ asks: ['result', 'evidence'], needs: ['result'] })
  })

  it('goes by the way the case went: let off is not gone, another department in its place does not make it parallel', () => {
    const removed = { state: 'TASK_STATE_REMOVED' } as const
    expect(formOf(lead, lead, { ...joint, ...removed }).needs).toEqual(['result', 'unifiedReply', 'partiesInformed'])
    expect(formOf(lead, lead, { ...lead, taskId: '3', department: 'UMD', ...removed }).needs).toEqual(['result', 'evidence'])
  })
})
