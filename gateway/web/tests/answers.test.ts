import { describe, expect, it } from 'vitest'
import { isKnown, isOfTask, withTask } from '@/case/answers'
import type { Case, TaskView } from '@/generated/contract'

const item: Case = {
  caseId: 'c', revision: '9', state: 'CASE_STATE_PARALLEL', light: 'LIGHT_RED',
  tasks: [{ taskId: 'a', state: 'TASK_STATE_ASSIGNED' }, { taskId: 'b', state: 'TASK_STATE_ACCEPTED' }],
}
const view: TaskView = { caseId: 'c', revision: '10', caseState: 'CASE_STATE_HANDLED', task: { taskId: 'b', state: 'TASK_STATE_DONE' } }

describe('the answer of a verb on a task', () => {
  it('is told from a whole case', () => {
    expect([isOfTask(view), isOfTask(item), isOfTask({})]).toEqual([true, false, false])
  })

  it('changes that task and the state at once, and leaves the revision until the rest is known', () => {
    expect(withTask(item, view)).toEqual({ ...item, state: 'CASE_STATE_HANDLED', tasks: [item.tasks?.[0], view.task] })
    expect(item.tasks?.[1]?.state).toBe('TASK_STATE_ACCEPTED')
  })

  it('says nothing new to a stream that was faster', () => {
    expect([isKnown(item, view), isKnown({ ...item, revision: '10' }, view), isKnown({ ...item, revision: '11' }, view)]).toEqual([false, true, true])
    expect(isKnown({}, view)).toBe(false)
  })
})
