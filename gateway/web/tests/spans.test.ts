import { describe, expect, it } from 'vitest'
import type { Case, Step, Task } from '@/generated/contract'
import { criticalTasks, lanesOf } from '@/timeline/spans'

const T0 = Date.parse('2026-03-05T06:00:00Z')
const iso = (seconds: number): string => new Date(T0 + seconds * 1_000).toISOString()
const step = (seconds: number, verb: string, taskId = 'a'): Step => ({ at: iso(seconds), verb, taskId })
const clock = (kind: 'CLOCK_KIND_ACCEPT' | 'CLOCK_KIND_RESOLVE', yellow: number, due: number) => ({ kind, startedAt: iso(0), yellowAt: iso(yellow), dueAt: iso(due) })

function lane(task: Task, steps: Step[], now: number, item: Case = {}) {
  const [only] = lanesOf({ dispatchedAt: iso(0), steps, tasks: [{ taskId: 'a', ...task }], ...item }, T0 + now * 1_000)
  if (!only) throw new Error('no lane')
  const spans = only.spans.map((span) => [span.kind, (span.from - T0) / 1_000, (span.to - T0) / 1_000, span.open])
  return { ...only, short: spans }
}

describe('spans of a task', () => {
  it('runs from the dispatch over the acceptance to the end', () => {
    const { short } = lane({ state: 'TASK_STATE_DONE', doneAt: iso(30) }, [step(10, 'accept_task'), step(30, 'complete_task')], 99)
    expect(short).toEqual([['assigned', 0, 10, false], ['working', 10, 30, false]])
  })

  it('grows to now while it is open', () => {
    expect(lane({ state: 'TASK_STATE_ACCEPTED' }, [step(10, 'accept_task')], 25).short.at(-1)).toEqual(['working', 10, 25, true])
  })

  it('waits for the tasks before it', () => {
    const { short } = lane({ state: 'TASK_STATE_ASSIGNED', after: ['b'], assignedAt: iso(8) }, [], 12)
    expect(short).toEqual([['waiting', 0, 8, false], ['assigned', 8, 12, true]])
  })

  it('shows an objection until the ruling, then the task stands again', () => {
    const steps = [step(4, 'object_task'), step(9, 'rule_objection'), step(11, 'accept_task')]
    expect(lane({ state: 'TASK_STATE_ACCEPTED' }, steps, 20).short.map(([kind]) => kind)).toEqual(['assigned', 'objected', 'assigned', 'working'])
  })

  it('calls work after a return rework, with the pause left out', () => {
    const steps = [step(2, 'accept_task'), step(6, 'complete_task'), step(10, 'return_task'), step(12, 'accept_task'), step(15, 'complete_task')]
    const { short } = lane({ state: 'TASK_STATE_DONE', doneAt: iso(15), returns: 1 }, steps, 40)
    expect(short).toEqual([['assigned', 0, 2, false], ['working', 2, 6, false], ['rework', 10, 15, false]])
  })

  it('reopens with a failed check on site, which names no task in the diary', () => {
    const steps = [step(2, 'accept_task'), step(6, 'complete_task'), { at: iso(9), verb: 'verify_case' }]
    expect(lane({ state: 'TASK_STATE_RETURNED', returns: 1 }, steps, 20).short.at(-1)).toEqual(['rework', 9, 20, true])
  })

  it('does without a diary', () => {
    const { short } = lane({ state: 'TASK_STATE_DONE', acceptedAt: iso(3), doneAt: iso(7) }, [], 40)
    expect(short).toEqual([['assigned', 0, 3, false], ['working', 3, 7, false]])
  })

  it('marks what is past its limit from the limit on', () => {
    const clocks = [clock('CLOCK_KIND_ACCEPT', 3, 5), clock('CLOCK_KIND_RESOLVE', 14, 20)]
    const { spans, marks } = lane({ state: 'TASK_STATE_ACCEPTED', clocks }, [step(8, 'accept_task')], 30)
    expect(spans.map((span) => span.lateFrom && (span.lateFrom - T0) / 1_000)).toEqual([5, 20])
    expect(marks).toEqual([{ kind: 'yellow', at: T0 + 14_000 }])
  })
})

describe('critical path', () => {
  const done = (taskId: string, seconds: number, after: string[] = []): Task => ({ taskId, after, state: 'TASK_STATE_DONE', doneAt: iso(seconds) })
  const open = (taskId: string, after: string[] = []): Task => ({ taskId, after, state: 'TASK_STATE_ACCEPTED' })

  it('is what the service says', () => {
    expect(criticalTasks([{ ...done('a', 1), critical: true }, done('b', 9)])).toEqual(new Set(['a']))
  })

  it('is the one chain everybody waits for', () => {
    expect(criticalTasks([done('a', 5), done('b', 9), open('c', ['a', 'b'])])).toEqual(new Set(['b', 'c']))
  })

  it('follows a chain that is still to come', () => {
    expect(criticalTasks([done('x', 1), open('a'), { taskId: 'b', after: ['a'], state: 'TASK_STATE_WAITING' }])).toEqual(new Set(['a', 'b']))
  })

  it('is open while two departments work', () => {
    expect(criticalTasks([open('a'), open('b')])).toEqual(new Set())
  })
})
