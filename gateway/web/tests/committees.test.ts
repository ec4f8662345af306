import { beforeEach, describe, expect, it, vi } from 'vitest'
import { FIELDS, givenOf, UPDATE_MASK, type Context } from '@/committee/forms'
import { chairOf, faultOfMediators, faultOfMembers, fromQuery, mayKeep, standingOf, toQuery, toRequest, type Person } from '@/committee/register'
import { en, reasonsEn, reasonsZh, zh } from '@/committee/words'
import { faultsIn, isAbout, missingIn, requestIn } from '@/forms/fields'
import { CommitteeKind, CommitteePost, routes, type MediationCommittee } from '@/generated/contract'

const may = vi.hoisted(() => ({ call: (_: string): boolean => true }))
vi.mock('@/api/session', () => ({ mayCall: (rpc: string) => may.call(rpc) }))
vi.mock('@/i18n', () => ({}))

const me = { sub: 'liu', name: '刘建国', roles: ['GRID_SUPERVISOR'], area: '420502001', department: '' }
const person = (subject: string, more: Person = {}): Person => ({ subject, name: '王', sex: '1', post: 'COMMITTEE_POST_MEMBER', ...more })
const chair = person('a', { post: 'COMMITTEE_POST_CHAIR' })
const woman = person('b', { sex: '2' })
const committee: MediationCommittee = {
  committeeId: 'c', code: 'C1', name: '调委会', kind: 'COMMITTEE_KIND_COMMUNITY', areaCode: '420502001003', members: [chair, woman, person('d')],
  termBeginsOn: '2024-01-01', termEndsOn: '2026-12-31', revision: '3',
}
const context: Context = { committee: null, me, areas: [] }

beforeEach(() => (may.call = () => true))

describe('members', () => {
  it('are three to nine, one chair, a woman among them, each once and in full', () => {
    expect(faultOfMembers([chair, woman, person('d')])).toBe('')
    expect(faultOfMembers([chair, woman])).toBe('reason.COMMITTEE_SIZE')
    expect(faultOfMembers([chair, woman, ...Array.from({ length: 8 }, (_, n) => person(`p${n}`))])).toBe('reason.COMMITTEE_SIZE')
    expect(faultOfMembers([chair, woman, person(' ')])).toBe('committee.fault.whole')
    expect(faultOfMembers([chair, woman, person('d', { sex: undefined })])).toBe('committee.fault.whole')
    expect(faultOfMembers([chair, woman, person('d', { post: 'COMMITTEE_POST_CHAIR' })])).toBe('reason.CHAIR_COUNT')
    expect(faultOfMembers([chair, person('b'), person('d')])).toBe('reason.WOMAN_REQUIRED')
    expect(faultOfMembers([chair, woman, person(' a ')])).toBe('reason.DUPLICATE_MEDIATOR')
  })

  it('need no sex and no post when they are engaged', () => {
    expect(faultOfMediators([{ subject: 'a', name: '王' }])).toBe('')
    expect(faultOfMediators([{ subject: 'a' }])).toBe('committee.fault.whole')
    expect(faultOfMediators([{ subject: 'a', name: '王' }, { subject: 'a', name: '李' }])).toBe('reason.DUPLICATE_MEDIATOR')
  })
})

describe('a term', () => {
  it('runs, ends soon and is over', () => {
    expect(['2026-01-01', '2026-11-01', '2026-12-31', '2027-01-01'].map((day) => standingOf(committee, day))).toEqual(['works', 'ends', 'ends', 'over'])
    expect(standingOf({ ...committee, dissolvedAt: '2026-02-01T00:00:00Z' }, '2027-01-01')).toBe('dissolved')
    expect(chairOf(committee)?.subject).toBe('a')
  })
})

describe('who keeps the register', () => {
  it('is whom the protos let, within the own area, and of departments the judicial bureau', () => {
    const officer = { ...me, roles: ['DEPT_HANDLER', 'DEPT_LEAD'], area: '420502' }
    expect([mayKeep(me), mayKeep(me, '420502001003'), mayKeep(me, '420502002001'), mayKeep(null)]).toEqual([true, true, false, false])
    expect([mayKeep({ ...officer, department: 'FIRE' }), mayKeep({ ...officer, department: 'JUST' })]).toEqual([false, true])
    may.call = () => false
    expect(mayKeep(me)).toBe(false)
  })
})

describe('the forms', () => {
  it('ask for all the law asks for, and name the members when something is wrong', () => {
    expect(missingIn(FIELDS.CreateCommittee, {}, context)).toEqual(['code', 'name', 'kind', 'areaCode', 'termBeginsOn', 'members'].map((name) => `committee.${name}`))
    expect(faultsIn(FIELDS.CreateCommittee, { 'committee.code': 'a b', 'committee.phone': '12', 'committee.members': [chair] }, context)).toEqual({
      'committee.code': 'committee.fault.code', 'committee.phone': 'committee.fault.phone', 'committee.members': 'reason.COMMITTEE_SIZE',
    })
    const members = FIELDS.CreateCommittee.find(({ name }) => name === 'committee.members')
    expect(isAbout({ name: members?.name ?? '' }, { field: 'committee.members[1].subject', message: '' })).toBe(true)
  })

  it('send one committee, without blanks', () => {
    const values = { 'committee.code': ' C1 ', 'committee.phone': '', 'committee.members': [person(' a ')], 'committee.termBeginsOn': '2026-01-01' }
    expect(requestIn(FIELDS.CreateCommittee, values, context)).toEqual({ committee: { code: 'C1', members: [person('a')], termBeginsOn: '2026-01-01' } })
  })

  it('begin with what the register says and change all but the code', () => {
    const began = Object.fromEntries(FIELDS.UpdateCommittee.map((field) => [field.name, field.initial?.({ ...context, committee }, { t: (key) => key, language: 'zh' })]))
    expect(requestIn(FIELDS.UpdateCommittee, began, { ...context, committee })).toEqual({
      committee: { name: '调委会', kind: 'COMMITTEE_KIND_COMMUNITY', areaCode: '420502001003', termBeginsOn: '2024-01-01', members: committee.members },
    })
    expect(UPDATE_MASK).toBe('name,kind,areaCode,phone,termBeginsOn,members,mediators')
    expect(givenOf('UpdateCommittee', committee)).toEqual({ committeeId: 'c', revision: '3', updateMask: UPDATE_MASK })
    expect([givenOf('CreateCommittee', null), givenOf('DissolveCommittee', committee)]).toEqual([{}, { committeeId: 'c' }])
  })
})

describe('the list', () => {
  it('keeps its choices in the address and asks for what they mean', () => {
    const wanted = fromQuery({ text: ' 石板溪 ', area: '420502', all: '1', other: 'x', more: ['a'] })
    expect(toQuery({ ...wanted, area: '' })).toEqual({ text: ' 石板溪 ', all: '1' })
    expect(toRequest(wanted)).toEqual({ text: '石板溪', areaPrefix: '420502', dissolvedToo: true })
    expect(toRequest(fromQuery({}))).toEqual({})
  })
})

describe('words', () => {
  it('name every kind, post, verb, field and reason in both languages', () => {
    for (const words of [zh, en]) {
      expect(Object.keys(words.kind)).toEqual([...CommitteeKind])
      expect(Object.keys(words.post)).toEqual([...CommitteePost])
      for (const [verb, fields] of Object.entries(FIELDS)) {
        expect(words.verb[verb as keyof typeof words.verb] && words.hint[verb as keyof typeof words.hint]).toBeTruthy()
        expect(routes[verb as keyof typeof FIELDS].roles).toContain('GRID_SUPERVISOR')
        expect(fields.filter(({ label }) => !(label.replace('committee.field.', '') in words.field))).toEqual([])
      }
    }
    expect(Object.keys(reasonsEn)).toEqual(Object.keys(reasonsZh))
  })
})
