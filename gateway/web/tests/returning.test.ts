import { describe, expect, it, vi } from 'vitest'
import { Problem } from '@/api/problem'
import { faultsIn, missingIn, requestIn } from '@/forms/fields'
import type { Resident } from '@/generated/contract'
import { categoriesOf } from '@/model/codes'
import { FIELDS, RPC, verbsFor, type Context } from '@/people/forms'
import { holderOf } from '@/people/holder'
import { FIELDS as RIGHTS_FIELDS } from '@/rights/forms'

vi.mock('@/i18n', () => ({ i18n: {}, language: { value: 'zh' } }))
vi.mock('@/api/session', () => ({ mayCall: () => true }))
vi.mock('@/people/fields/HomeField.vue', () => ({ default: {} }))
vi.mock('@/people/fields/HouseholdField.vue', () => ({ default: {} }))

const gone = (status: NonNullable<Resident['standing']>['status']): Resident => ({ standing: { status, since: '2026-02-10' } })
const context: Context = { resident: gone('RESIDENT_STATUS_MOVED_OUT'), area: '', house: '', today: '2026-11-22' }

describe('somebody who moved out', () => {
  it('moves in again or is taken back; the dead and the merged do not come back', () => {
    expect(verbsFor(context.resident)).toEqual(['MoveIn', 'RestoreResident'])
    expect(verbsFor(gone('RESIDENT_STATUS_DECEASED'))).toEqual(['RestoreResident'])
    expect(verbsFor(gone('RESIDENT_STATUS_MERGED'))).toEqual([])
    expect(verbsFor({})).not.toContain('MoveIn')
    expect(RPC.MoveIn).toBe('MoveResident')
  })

  it('comes to a home, not before the day of leaving', () => {
    expect(missingIn(FIELDS.MoveIn, {}, context)).toEqual(['home', 'home.since'])
    expect([faultsIn(FIELDS.MoveIn, { 'home.since': '2026-02-09' }, context), faultsIn(FIELDS.MoveIn, { 'home.since': '2026-11-23' }, context)]).toEqual([{ 'home.since': 'reason.BEFORE_LEAVING' }, { 'home.since': 'reason.IN_THE_FUTURE' }])
    expect(requestIn(FIELDS.MoveIn, { home: { houseId: 'h', areaCode: 'a' }, 'home.since': '2026-03-01' }, context)).toEqual({ home: { houseId: 'h', areaCode: 'a', since: '2026-03-01' } })
  })
})

describe('a number that is entered already', () => {
  it('leads to the entry where the service names it', () => {
    const refusal = (metadata: Record<string, string>) => new Problem(409, { reason: 'ID_NUMBER_EXISTS', metadata })
    expect(holderOf(refusal({ resident_id: 'r' }))).toEqual({ residentId: 'r' })
    expect(holderOf(refusal({}))).toEqual({ residentId: '' })
    expect([holderOf(new Problem(409, { reason: 'DEPARTED' })), holderOf(null)]).toEqual([null, null])
  })
})

describe('an account link', () => {
  it('is ended for one account, for all only when that is chosen', () => {
    expect(missingIn(RIGHTS_FIELDS.UnlinkAccount, { allAccounts: false }, null)).toEqual(['account'])
    expect(requestIn(RIGHTS_FIELDS.UnlinkAccount, { allAccounts: false, account: ' a1 ' }, null)).toEqual({ account: 'a1' })
    expect(requestIn(RIGHTS_FIELDS.UnlinkAccount, { allAccounts: true, account: 'a1' }, null)).toEqual({})
  })
})

describe('kinds of cases', () => {
  it('can be reported for the residence permit, which the community handles', () => {
    expect(categoriesOf('E').map(({ code }) => code)).toEqual(['E', 'E01'])
    expect(categoriesOf('B').map(({ code }) => code)).toContain('B02')
  })
})
