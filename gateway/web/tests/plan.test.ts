import { describe, expect, it } from 'vitest'
import { circleOf, faultOf, plansOf, rowsOf, without, type PlanRow } from '@/case/plan'

const row = (department: string, after: string[] = [], lead = false): PlanRow => ({ key: department, department, lead, after, instruction: '' })

describe('plan of a dispatch', () => {
  it('survives the way from the proposal to the request', () => {
    const tasks = [
      { key: 'FIRE', department: 'FIRE', role: 'TASK_ROLE_LEAD' as const },
      { key: 'UMD', department: 'UMD', role: 'TASK_ROLE_JOINT' as const, after: ['FIRE'], instruction: '清理' },
    ]
    expect(plansOf(rowsOf(tasks))).toEqual(tasks)
  })

  it('finds circles, long ones too', () => {
    expect(circleOf([row('A'), row('B', ['A']), row('C', ['B'])])).toEqual([])
    expect(circleOf([row('A'), row('B', ['D']), row('C', ['B']), row('D', ['C'])])).toEqual(['B', 'C', 'D'])
  })

  it('names what is wrong', () => {
    expect(faultOf([row('A', [], true), row('B', ['A'])])).toBeNull()
    expect(faultOf([row('A'), row('B')])).toEqual({ kind: 'needLead' })
    expect(faultOf([row('A', [], true), row('A')])).toEqual({ kind: 'twice', key: 'A' })
    expect(faultOf([row('', [], true)])).toEqual({ kind: 'needDepartment', key: '' })
    expect(faultOf([row('A', ['A'], true)])).toEqual({ kind: 'cycle', keys: ['A'] })
  })

  it('frees those who waited for a department that is taken out, and finds a new lead', () => {
    expect(without([row('A', [], true), row('B', ['A'])], 'A')).toEqual([row('B', [], true)])
  })
})
