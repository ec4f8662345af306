import { describe, expect, it, vi } from 'vitest'
import { missingIn, requestIn, shownFields } from '@/forms/fields'
import { DataDecision, DataRequestState, MergeState, PopulationAgreement, Requester } from '@/generated/contract'
import { FIELDS as MERGE_FIELDS, givenOf, percentOf, signed, weighed } from '@/merging/pairs'
import { en as mergingEn, zh as mergingZh } from '@/merging/words'
import { FIELDS, stepsOf } from '@/rights/forms'
import { en, reasonsEn, reasonsZh, zh } from '@/rights/words'

vi.mock('@/i18n', () => ({ i18n: {}, language: { value: 'zh' } }))

describe('requests about one’s own data', () => {
  it('go from deciding to carrying out, and are extended once', () => {
    expect(stepsOf({ state: 'DATA_REQUEST_STATE_SUBMITTED' })).toEqual(['DecideDataRequest', 'ExtendDataRequest', 'WithdrawDataRequest'])
    expect(stepsOf({ state: 'DATA_REQUEST_STATE_GRANTED', extended: true })).toEqual(['CarryOutDataRequest', 'WithdrawDataRequest'])
    expect(stepsOf({ state: 'DATA_REQUEST_STATE_REFUSED' })).toEqual([])
  })

  it('name fields when something is corrected or objected to, and only then', () => {
    expect(missingIn(FIELDS.SubmitMyDataRequest, { kind: 'R2' }, null)).toEqual(['fields', 'details'])
    expect(shownFields(FIELDS.SubmitMyDataRequest, { kind: 'R1' }, null).map(({ name }) => name)).toEqual(['kind', 'details'])
    expect(requestIn(FIELDS.SubmitDataRequest, { requester: 'REQUESTER_SELF', kind: 'R1', fields: ['name'], details: ' 查阅 ' }, null)).toEqual({ requester: 'REQUESTER_SELF', kind: 'R1', details: '查阅' })
  })
})

describe('a merge', () => {
  const pair = { one: { residentId: 'a', name: '王**' }, other: { residentId: 'b', name: '王**' }, score: {} }

  it('goes into the entry that is chosen', () => {
    expect(requestIn(MERGE_FIELDS.MergeResidents, { residentId: 'b', take: ['phone'], reason: '同一人' }, pair)).toEqual({ residentId: 'b', absorbedId: 'a', take: ['phone'], reason: '同一人' })
    expect([givenOf('MergeResidents', pair), givenOf('DismissDuplicate', pair)]).toEqual([{}, { residentId: 'a', otherId: 'b' }])
  })

  it('is explained by what says most, and is never certain', () => {
    expect(weighed({ fields: [{ field: 'sex', bits: 1 }, { field: 'id_number', bits: -10 }, { field: 'name', bits: 13 }] }).map(({ field }) => field)).toEqual(['name', 'id_number', 'sex'])
    expect([signed(13.14), signed(-10), signed(undefined), percentOf(0.99999), percentOf(0.5)]).toEqual(['+13.1', '−10.0', '+0.0', '99.9', '50'])
  })
})

describe('words', () => {
  it('name every state, decision and person in both languages', () => {
    for (const words of [zh, en]) {
      expect([Object.keys(words.state), Object.keys(words.decision), Object.keys(words.requester)]).toEqual([[...DataRequestState], [...DataDecision], [...Requester]])
      for (const verb of Object.keys(FIELDS) as (keyof typeof FIELDS)[]) expect(words.verb[verb] && words.hint[verb]).toBeTruthy()
    }
    for (const words of [mergingZh, mergingEn]) expect([Object.keys(words.state), Object.keys(words.agreement)]).toEqual([[...MergeState], [...PopulationAgreement]])
    expect(Object.keys(reasonsEn)).toEqual(Object.keys(reasonsZh))
  })
})
