import { describe, expect, it, vi } from 'vitest'
import { COLLECTED, claimsOf, editsOf, foundOf, foundRows, isWhole, observed, rowsOf } from '@/collection/edits'
import { FieldOutcome, ConflictChoice, ResidentStatus, ResidenceKind, Tenure, type FieldEntry, type Residence } from '@/generated/contract'
import { zh as collectionZh } from '@/collection/words'
import { FIELDS, VERBS } from '@/people/forms'
import { factsOf, valueText } from '@/people/ledger'
import { ageOn, fromQuery, hasLeft, isNumber, toQuery, toRequest, yearOf } from '@/people/register'
import { courseOf, samePlace, textOf, yearsOf } from '@/people/residences'
import { en, zh } from '@/people/words'

vi.mock('@/i18n', () => ({ i18n: {}, language: { value: 'zh' } }))
vi.mock('@/collection/EditRows.vue', () => ({ default: {} }))

const TODAY = '2026-11-22'
const lived = (areaCode: string, since: string, until = '', more: Partial<Residence> = {}): Residence => ({ residenceId: areaCode + since, areaCode, since, until, kind: 'RESIDENCE_KIND_ACTUAL', ...more })
const registered = (areaCode: string, since: string, until = ''): Residence => lived(areaCode, since, until, { kind: 'RESIDENCE_KIND_REGISTERED' })

describe('the register', () => {
  it('keeps filters in the address, and asks for what they mean', () => {
    const wanted = fromQuery({ area: '420502', match: '02', departed: '1', name: '王小明' })
    expect(toQuery(wanted)).toEqual({ area: '420502', match: '02', departed: '1' })
    expect(toRequest(wanted)).toEqual({ areaPrefix: '420502', matchFlag: '02', includeDeparted: true })
    expect(toRequest(fromQuery({}))).toEqual({})
  })

  it('tells numbers of documents from names', () => {
    expect(['420502198001011234', '42050219800101123X', 'E12345678', ' 4205 0219 '].map(isNumber)).toEqual([true, true, true, true])
    expect(['王小明', 'shan xiong xin', 'sxx', 'SMITH2', ''].map(isNumber)).toEqual([false, false, false, false, false])
  })

  it('reckons ages to the day, and none of masked dates', () => {
    expect([ageOn('1941-11-22', TODAY), ageOn('1941-11-23', TODAY), ageOn('1941-**-**', TODAY), ageOn('', TODAY)]).toEqual([85, 84, Number.NaN, Number.NaN])
    expect([yearOf('1941-**-**'), yearOf('***')]).toEqual(['1941', ''])
    expect([hasLeft({}), hasLeft({ standing: { status: 'RESIDENT_STATUS_DECEASED' } })]).toEqual([false, true])
  })
})

describe('residences over time', () => {
  it('find when somebody lived elsewhere than registered', () => {
    const course = courseOf([registered('420502001004', '1985-06-01'), lived('42050200100410002', '1990-01-01', '2011-03-31'), lived('42050200100310001', '2011-04-01')], TODAY)
    expect(course.splits.map(({ from, open }) => [textOf(from), open])).toEqual([['2011-04-01', true]])
    expect([course.homes.length, course.registered.length, textOf(course.from)]).toEqual([1, 1, '1985-06-01'])
  })

  it('put homes that last at once into rows of their own, and one at the registration is no separation', () => {
    const course = courseOf([registered('420502001004', '2000-01-01'), lived('420502001003', '2010-01-01'), lived('420502001004', '2015-01-01')], TODAY)
    expect(course.homes.map((row) => row.length)).toEqual([1, 1])
    expect(course.splits).toEqual([])
  })

  it('take a province for the place of everything in it, and two houses for two places', () => {
    expect(samePlace(lived('42050200100310001', ''), registered('42', ''))).toBe(true)
    expect(samePlace(lived('420502001003', '', '', { houseId: 'a' }), lived('420502001003', '', '', { houseId: 'b' }))).toBe(false)
    expect(samePlace(lived('420502001003', ''), registered('51', ''))).toBe(false)
  })

  it('write few years under the axis, also for somebody who has just come', () => {
    const long = courseOf([lived('420502001003', '1941-03-05')], TODAY)
    expect(yearsOf(long, 9).length).toBeLessThanOrEqual(9)
    expect(yearsOf(courseOf([lived('420502001003', '2026-11-01')], TODAY), 9).map(({ year }) => year)).toEqual([2026])
    expect(courseOf([lived('420502001003', '')], TODAY).homes[0]?.[0]?.open).toBe(true)
  })
})

const grid = { value: '1', source: 'GRID', by: 'worker', at: '2026-11-20T00:00:00Z' }
const police = { value: '2', source: 'POLICE', by: 'police' }
const entry: FieldEntry = { field: 'sex', accepted: { value: '1', source: 'REGISTER' }, observations: [grid, police], overridden: [{ value: '0', source: 'REGISTER' }] }

describe('sources of fields', () => {
  it('name who says otherwise, and who was found wrong no more', () => {
    const [fact] = factsOf({ entries: [entry], check: { fields: ['sex'] } }, { sex: '1' })
    expect(fact).toMatchObject({ field: 'sex', value: '1', asked: true, conflict: false, differing: [police] })
    expect(factsOf({ entries: [{ ...entry, observations: [{ ...police, refuted: true }] }] }, {})[0]?.differing).toEqual([])
    expect([valueText('sex', '1', 'zh'), valueText('name', '王**', 'zh'), valueText('sex', '***', 'zh')]).toEqual(['男性', '王**', '***'])
  })

  it('gather the claims of a field, each value once', () => {
    expect(claimsOf(entry).map(({ value, sources }) => [value, sources.length])).toEqual([['1', 2], ['2', 1]])
    expect([observed(entry, 'grid'), observed(entry, 'departments')]).toEqual([[grid], [police]])
  })
})

describe('proposals', () => {
  const resident = { name: '王**', sex: '1', phone: '138****5678', residentType: '03' }

  it('hold only what was changed; a masked value left empty stays', () => {
    const rows = rowsOf(resident)
    expect(rows.map(({ field }) => field)).toEqual([...COLLECTED])
    expect(editsOf(rows)).toEqual([])
    const changed = rows.map((row) => (row.field === 'phone' ? { ...row, value: ' 13900000000 ' } : row.field === 'sex' ? { ...row, value: '2' } : row))
    expect(editsOf(changed)).toEqual([{ field: 'sex', seen: '1', value: '2' }, { field: 'phone', seen: '138****5678', value: '13900000000' }])
  })

  it('of an order need an answer to every field, or that the resident declined', () => {
    const rows = foundRows({ check: { fields: ['sex', 'phone'] } })
    expect(isWhole(rows)).toBe(false)
    const whole = [{ ...rows[0]!, value: '2 ' }, { ...rows[1]!, declined: true }]
    expect(isWhole(whole)).toBe(true)
    expect(foundOf(whole)).toEqual({ found: [{ field: 'sex', value: '2' }], declined: ['phone'] })
  })
})

describe('words', () => {
  it('name every state, kind, verb and field in both languages', () => {
    for (const words of [zh, en]) {
      expect(Object.keys(words.status)).toEqual([...ResidentStatus])
      expect(Object.keys(words.residence)).toEqual([...ResidenceKind])
      expect(Object.keys(words.tenure)).toEqual([...Tenure])
      expect(COLLECTED.filter((field) => !words.field[field])).toEqual([])
      for (const verb of VERBS) {
        expect(words.verb[verb] && words.hint[verb]).toBeTruthy()
        expect(FIELDS[verb].filter(({ label }) => !(label.replace('people.form.', '') in words.form))).toEqual([])
      }
    }
    expect(Object.keys(collectionZh.outcome)).toEqual([...FieldOutcome])
    expect(Object.keys(collectionZh.choice)).toEqual([...ConflictChoice])
  })
})
