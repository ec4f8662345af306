import { describe, expect, it, vi } from 'vitest'
import { JobKind, JobState, routes } from '@/generated/contract'
import { missingIn, requestIn } from '@/forms/fields'
import { FIELDS } from '@/job/forms'
import { base64Of, countsOf, headerOf, mappingOf, PART, partsOf, shareOf, sizeText, stageOf, verbsOf } from '@/job/jobs'
import { COLLECTION_FORMS, mappingOfForm } from '@/job/odk'
import { en, zh } from '@/job/words'

vi.mock('@/i18n', () => ({ i18n: {}, language: { value: 'zh' } }))
vi.mock('@/job/SourceField.vue', () => ({ default: {} }))

const context = { rules: [], areas: [], area: '420502' }
const file = { fileId: 'f', name: 'a.csv', mapping: '{}' }

describe('a job', () => {
  it('offers what its state allows; nobody approves their own', () => {
    expect(verbsOf({ state: 'JOB_STATE_AWAITING_APPROVAL', startedBy: 'a' }, 'a')).toEqual(['CancelJob'])
    expect(verbsOf({ state: 'JOB_STATE_AWAITING_APPROVAL', startedBy: 'a' }, 'b')).toEqual(['ApproveJob', 'CancelJob'])
    expect([verbsOf({ state: 'JOB_STATE_RUNNING' }, ''), verbsOf({ state: 'JOB_STATE_CANCELLED' }, ''), verbsOf({ state: 'JOB_STATE_FINISHED' }, '')]).toEqual([['CancelJob'], ['ResumeJob'], []])
  })

  it('says how far it is, as far as anybody knows', () => {
    expect([shareOf({ done: '5', total: '20' }), shareOf({ done: '5' }), shareOf({ state: 'JOB_STATE_FINISHED' })]).toEqual([0.25, Number.NaN, 1])
    expect(stageOf({ stage: 'linking: blocking' })).toEqual({ stage: 'linking', at: 'blocking' })
    expect(countsOf({ kind: 'JOB_KIND_FEED', counts: [{ name: 'matched', value: '5' }] })).toEqual({ results: [], others: [{ name: 'known', value: 5 }] })
    const counts = countsOf({ counts: [{ name: 'read', value: '7' }, { name: 'left_only', value: '2' }, { name: 'matched', value: '5' }] })
    expect(counts).toEqual({ results: [{ name: 'matched', value: 5 }, { name: 'left_only', value: 2 }], others: [{ name: 'read', value: 7 }] })
  })
})

describe('an upload', () => {
  it('is cut into parts of 1 MiB, of which the last is the rest', () => {
    expect(partsOf(2 * PART + 1).map(({ from, to, last }) => [from, to - from, last])).toEqual([[0, PART, false], [PART, PART, false], [2 * PART, 1, true]])
    expect([partsOf(PART).length, partsOf(0)]).toEqual([1, [{ from: 0, to: 0, last: true }]])
    expect([base64Of(new Uint8Array([1, 2, 255])), sizeText(900), sizeText(3_400_000)]).toEqual(['AQL/', '900 B', '3.4 MB'])
  })

  it('begins with a mapping of the columns it knows, as far as the rule allows', () => {
    const header = headerOf('\ufeff"姓名",身份证号,性别,备注\n王,1,男,x')
    expect(header).toEqual(['姓名', '身份证号', '性别', '备注'])
    expect(JSON.parse(mappingOf(header, [], { area_code: '420502' }))).toEqual({ columns: { 姓名: 'name', 身份证号: 'id_number', 性别: { field: 'sex', values: { 男: '1', 女: '2' } } }, constants: { area_code: '420502' } })
    expect(JSON.parse(mappingOf(header, ['name'], {}))).toEqual({ columns: { 姓名: 'name' } })
  })
})

describe('a collection form', () => {
  it('is recognised when it comes back', () => {
    const resident = ['SubmissionDate', 'area_code', 'name', 'id_doc_type', 'residence-house_id', 'KEY', 'SubmitterID']
    expect(mappingOfForm(resident)).toBe('form: resident')
    expect(mappingOfForm(['area_code', 'house_id', 'match_flag', 'KEY'])).toBe('form: household')
    expect(mappingOfForm(['resident_id', 'id_number', 'household_relation', 'PARENT_KEY', 'KEY'])).toBe('form: household_members')
    expect([mappingOfForm(['姓名', '身份证号']), mappingOfForm(resident.slice(0, 5))]).toEqual(['', ''])
  })

  it('has a name and says how it comes back in both languages', () => {
    for (const words of [zh, en]) expect([Object.keys(words.odk.form), Object.keys(words.odk.back)]).toEqual([[...COLLECTION_FORMS], [...COLLECTION_FORMS]])
  })
})

describe('the forms', () => {
  it('send the purpose beside the request, and the file with its columns', () => {
    const values = { purpose: 'P02', legalBasis: '共享协议', 'crossCheckSpec.rule': 'MR01', 'crossCheckSpec.source': file, 'crossCheckSpec.orders': true }
    expect(requestIn(FIELDS.StartCrossCheck, values, context)).toEqual({ legalBasis: '共享协议', crossCheckSpec: { rule: 'MR01', source: { fileId: 'f' }, mapping: '{}', orders: true } })
    expect(missingIn(FIELDS.StartCrossCheck, {}, context)).toEqual(['purpose', 'legalBasis', 'crossCheckSpec.rule'])
  })

  it('ask for no file where the register is held against itself, and for two where two files are', () => {
    const shown = (rule: string) => FIELDS.StartCrossCheck.filter((field) => field.shown?.({ 'crossCheckSpec.rule': rule }, context)).map(({ name }) => name)
    expect([shown('MR07'), shown('MR03'), shown('MR01')]).toEqual([[], ['crossCheckSpec.source', 'crossCheckSpec.other'], ['crossCheckSpec.source', 'crossCheckSpec.orders']])
  })

  it('name every state, kind and field in both languages', () => {
    for (const words of [zh, en]) {
      expect(Object.keys(words.kind)).toEqual(expect.arrayContaining([...JobKind]))
      expect(Object.keys(words.state)).toEqual([...JobState])
      for (const [verb, fields] of Object.entries(FIELDS)) {
        expect(routes[verb as keyof typeof FIELDS].purposes.length).toBeGreaterThan(0)
        expect(fields.filter(({ label }) => !(label.replace('job.field.', '') in words.field))).toEqual([])
      }
    }
  })
})
