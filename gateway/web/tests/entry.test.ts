import { describe, expect, it, vi } from 'vitest'
import { consentsFor, START_FIELDS, startGiven, startsFor, STARTS, targetOf, type CareContext } from '@/care/forms'
import { en as careEn, zh as careZh } from '@/care/words'
import { faultsIn, missingIn, requestIn, shownFields, type Values } from '@/forms/fields'
import tables from '@/generated/codes.json'
import { PopulationConsent, type Resident } from '@/generated/contract'
import { draftOf, ENTRY, NEW_HOUSEHOLD, type EntryContext } from '@/people/entry'
import { FIELDS, joinOf } from '@/people/forms'
import { buildingOptions, buildingText, houseText, presentHouse } from '@/people/homes'
import { headOf, HOUSEHOLD_FIELDS, HOUSEHOLD_VERBS } from '@/people/household'
import { en, zh } from '@/people/words'

vi.mock('@/i18n', () => ({ i18n: {}, language: { value: 'zh' } }))
vi.mock('@/people/fields/HomeField.vue', () => ({ default: {} }))
vi.mock('@/people/fields/HouseholdField.vue', () => ({ default: {} }))
vi.mock('@/people/fields/PersonField.vue', () => ({ default: {} }))
vi.mock('@/people/fields/RelationsField.vue', () => ({ default: {} }))

const GRID = '42050200100310001'
const HOUSE = '0190d0a0-0000-7000-8000-000000000001'
const context: EntryContext = { areas: [], area: GRID, today: '2026-11-22' }
const home = { houseId: HOUSE, areaCode: GRID, label: '3号楼 501' }
const named = (fields: readonly { name: string }[]): string[] => fields.map(({ name }) => name.replace('resident.', ''))

describe('entering a resident', () => {
  it('asks nothing that the document tells, and for no number when none was shown', () => {
    const shown = (values: Values) => named(shownFields(ENTRY, values, context))
    expect(shown({ 'resident.idDocType': '111' })).not.toContain('birthDate')
    expect(shown({ 'resident.idDocType': '414' })).toEqual(expect.arrayContaining(['idNumber', 'birthDate', 'sex']))
    expect(shown({ 'resident.idDocType': '999' })).not.toContain('idNumber')
    expect(missingIn(ENTRY, { 'resident.idDocType': '111', 'resident.areaCode': GRID }, context)).toEqual(['resident.name', 'resident.idNumber'])
  })

  it('takes the area from the house, and asks for it only without one', () => {
    const values = { 'resident.name': '王小明', 'resident.idDocType': '999', 'resident.areaCode': '420502001004', 'resident.residence': home, 'resident.residence.since': '2026-01-01' }
    expect(requestIn(ENTRY, values, context)).toEqual({ resident: { name: '王小明', idDocType: '999', areaCode: GRID, residence: { houseId: HOUSE, areaCode: GRID, since: '2026-01-01' } } })
    expect(named(shownFields(ENTRY, values, context))).not.toContain('areaCode')
  })

  it('makes who founds a household its head, and needs the relation to another', () => {
    const values = { 'resident.residence': home, 'resident.householdId': NEW_HOUSEHOLD }
    expect(missingIn(ENTRY, values, context)).not.toContain('resident.householdRelation')
    expect(missingIn(ENTRY, { ...values, 'resident.householdId': HOUSE }, context)).toContain('resident.householdRelation')
    expect(draftOf({ resident: { name: '甲' } }, 'h')).toEqual({ resident: { name: '甲', householdId: 'h', householdRelation: '02' } })
    expect(draftOf({ resident: { householdRelation: '12', registered: { areaCode: '42' } } }, 'h')).toEqual({ resident: { householdId: 'h', householdRelation: '12', registered: { areaCode: '42', kind: 'RESIDENCE_KIND_REGISTERED' } } })
    expect(draftOf({ resident: { name: '甲' } }, '')).toEqual({ resident: { name: '甲' } })
  })

  it('sees days that lie ahead and codes that are none', () => {
    const values = { 'resident.idDocType': '999', 'resident.birthDate': '2027-01-01', 'resident.registered.areaCode': '4x' }
    expect(faultsIn(ENTRY, values, context)).toEqual({ 'resident.birthDate': 'reason.IN_THE_FUTURE', 'resident.registered.areaCode': 'people.fault.registered' })
  })

  it('has a field for nothing restricted', () => {
    const fields = [...ENTRY, ...Object.values(FIELDS).flat(), ...Object.values(START_FIELDS).flat(), ...Object.values(HOUSEHOLD_FIELDS).flat()].map(({ name }) => name)
    expect(fields.filter((name) => /political|religion|faith|criminal|petition|income|health|disease|face|track|risk/i.test(name))).toEqual([])
    expect(tables.careCategories.filter(({ code }) => ['2003', '8001', '8002', '8003', '8004'].includes(code))).toEqual([])
  })
})

describe('moves', () => {
  const resident: Resident = { residentId: 'r', areaCode: GRID }
  const sent = (values: Values) => requestIn(FIELDS.MoveResident, values, { resident, area: GRID, house: '', today: '2026-11-22' })

  it('go to a house of the city, or out of it, never both', () => {
    const both = { home, 'home.since': '2026-11-20', 'away.until': '2026-11-20', 'away.toAreaCode': '31' }
    expect(sent({ ...both, way: 'within' })).toEqual({ home: { houseId: HOUSE, areaCode: GRID, since: '2026-11-20' } })
    expect(sent({ ...both, way: 'out' })).toEqual({ away: { until: '2026-11-20', toAreaCode: '31' } })
  })

  it('tell a registration by its area', () => {
    const values = { kind: 'registered', residence: home, 'residence.areaCode': ' 5101 ', 'residence.since': '2020-01-01' }
    expect(requestIn(FIELDS.StartResidence, values, { resident, area: GRID, house: '', today: '2026-11-22' })).toEqual({ residence: { areaCode: '5101', kind: 'RESIDENCE_KIND_REGISTERED', since: '2020-01-01' } })
  })

  it('into a household name what changes', () => {
    expect(joinOf({ residentId: 'r', householdId: 'h', householdRelation: '12' }, 'h')).toEqual({ residentId: 'r', householdId: 'h', updateMask: 'householdId' })
    const asked = named(shownFields(FIELDS.UpdateResident, { householdId: NEW_HOUSEHOLD }, { resident, area: GRID, house: HOUSE, today: '2026-11-22' }))
    expect(asked).toEqual(['householdId'])
  })

  it('know the head by the household, or by the relation', () => {
    const members = [{ residentId: 'a', householdRelation: '12' }, { residentId: 'b', householdRelation: '02' }]
    expect([headOf({ household: { headId: 'a' }, members }), headOf({ household: {}, members }), headOf({ household: {}, members: [] })]).toEqual(['a', 'b', ''])
    const asked = { household: {}, members, area: '', today: '' }
    expect(HOUSEHOLD_FIELDS.SetHouseholdHead[0]?.options?.(asked, { t: (key) => key, language: 'zh' }, {}).map(({ value }) => value)).toEqual(['a'])
    expect(requestIn(HOUSEHOLD_FIELDS.SetHouseholdHead, { headId: 'a', relations: {} }, asked)).toEqual({ headId: 'a' })
  })
})

describe('houses', () => {
  it('read as people say them, in the order people count', () => {
    expect([buildingText({ name: '3号楼', address: '西陵一路18号' }), buildingText({ address: '西陵一路18号' })]).toEqual(['3号楼（西陵一路18号）', '西陵一路18号'])
    expect([houseText({ unit: '2', number: '501' }, '单元'), houseText({ unit: '东', number: '1' }, '单元'), houseText({ number: '7' }, '单元')]).toEqual(['2单元 501', '东 1', '7'])
    expect(buildingOptions([{ name: '10号楼' }, { name: '2号楼' }]).map(({ label }) => label)).toEqual(['2号楼', '10号楼'])
  })

  it('tell where somebody lives now', () => {
    const residences = [{ houseId: 'old', until: '2020-01-01' }, { houseId: 'now' }, { houseId: 'reg', kind: 'RESIDENCE_KIND_REGISTERED' as const }]
    expect([presentHouse({ residences }), presentHouse({})]).toEqual(['now', ''])
  })
})

describe('care that begins', () => {
  const resident: Resident = { residentId: 'r', areaCode: GRID, residences: [{ houseId: HOUSE }] }
  const asking: CareContext = { resident: null, areas: [], area: GRID }

  it('rests on what its category needs', () => {
    expect(consentsFor('1003')).toEqual(['CONSENT_GIVEN', 'CONSENT_WRITTEN'])
    expect(consentsFor('3001')[0]).toBe('CONSENT_STATUTORY')
    expect(consentsFor(undefined)).toEqual(PopulationConsent.slice(1))
  })

  it('asks for whom only where it is not known', () => {
    expect(named(shownFields(START_FIELDS.EnterCare, {}, asking))).toContain('residentId')
    expect(named(shownFields(START_FIELDS.EnterCare, {}, { ...asking, resident }))).not.toContain('residentId')
    expect(startsFor(resident)).toEqual([...STARTS])
    expect(startsFor({})).toEqual(['EnterCare', 'StartVisitPlan'])
    expect(startGiven('StartWatch', resident)).toEqual({ residentId: 'r', houseId: HOUSE })
    expect(startGiven('StartVisitPlan', resident)).toEqual({ residentId: 'r', areaCode: GRID })
  })

  it('plans visits to a person or rounds through an area, as the rule says', () => {
    expect([targetOf('VC1'), targetOf('VC3'), targetOf('')]).toEqual(['resident', 'area', ''])
    expect(named(shownFields(START_FIELDS.StartVisitPlan, { rule: 'VC1' }, asking))).toEqual(['rule', 'residentId'])
    expect(requestIn(START_FIELDS.StartVisitPlan, { rule: 'VC3', areaCode: GRID }, asking)).toEqual({ rule: 'VC3', areaCode: GRID })
    const options = START_FIELDS.StartVisitPlan[0]?.options?.(asking, { t: (key) => key, language: 'zh' }, {}).map(({ value }) => value)
    expect(options).toEqual(['VC1', 'VC2', 'VC3'])
  })

  it('watches a house somebody lives in, with one signed consent', () => {
    const consent = [{ uri: 'a', sha256: 'b' }]
    expect(faultsIn(START_FIELDS.StartWatch, { residentId: { residentId: 'x' }, consent: [...consent, ...consent] }, asking)).toEqual({ residentId: 'care.fault.house', consent: 'care.fault.one' })
    expect(requestIn(START_FIELDS.StartWatch, { residentId: resident, consent }, asking)).toEqual({ residentId: 'r', houseId: HOUSE, consent: consent[0] })
  })
})

describe('words', () => {
  it('name every field and verb in both languages', () => {
    const fields = [...ENTRY, ...Object.values(HOUSEHOLD_FIELDS).flat()]
    const at = (words: unknown, path: string): unknown => path.split('.').reduce((part, name) => (part as Record<string, unknown> | undefined)?.[name], words)
    for (const [people, care] of [[zh, careZh], [en, careEn]] as const) {
      expect(fields.map(({ label, hint }) => [label, hint]).flat().filter((key) => typeof key === 'string' && !at({ people }, key))).toEqual([])
      expect(Object.values(START_FIELDS).flat().flatMap(({ label, hint }) => [label, hint]).filter((key) => typeof key === 'string' && !at({ care }, key))).toEqual([])
      for (const verb of HOUSEHOLD_VERBS) expect(people.household.verb[verb] && people.household.hint[verb]).toBeTruthy()
      for (const verb of STARTS) expect(care.verb[verb] && care.hint[verb]).toBeTruthy()
      expect(Object.keys(care.consent)).toEqual([...PopulationConsent])
    }
  })
})
