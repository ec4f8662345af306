import { describe, expect, it, vi } from 'vitest'
import { FIELDS, givenOf, VERBS, type ElderContext } from '@/elder/forms'
import { faultOf, fenOf, isWholePrices, moneyOf, offeredBy, orderedLines, servingArea, totalOf, verbsOf, withUnits, yuanOf } from '@/elder/orders'
import { en, reasonsEn, reasonsZh, zh } from '@/elder/words'
import { faultsIn, missingIn, requestIn, shownFields } from '@/forms/fields'
import { ElderFacility, ElderOrderState, ProviderKind, ProviderState, ServiceKind, type AgreedPrice, type ElderOrder, type Provider } from '@/generated/contract'

const may = vi.hoisted(() => ({ call: (_: string): boolean => true }))
vi.mock('@/i18n', () => ({ i18n: {}, language: { value: 'zh' } }))
vi.mock('@/api/session', () => ({ mayCall: (rpc: string) => may.call(rpc) }))
vi.mock('@/people/fields/PersonField.vue', () => ({ default: {} }))
vi.mock('@/elder/ItemRows.vue', () => ({ default: {} }))
vi.mock('@/elder/PriceRows.vue', () => ({ default: {} }))

const GRID = '42050200100310001'
const meal: AgreedPrice = { code: 'MEAL', name: '助餐', kind: 'SERVICE_KIND_DAILY_LIFE', unit: '份', priceFen: '1250' }
const shop: Provider = { providerId: 'p', account: 'shop', state: 'PROVIDER_STATE_CONTRACTED', areaCode: '420502', prices: [meal] }
const order: ElderOrder = { orderId: 'o', providerId: 'p', state: 'ELDER_ORDER_STATE_DONE', items: [{ code: 'MEAL', units: 3, priceFen: '1200' }, { code: 'GONE', units: 1 }] }
const context: ElderContext = { providers: [shop], order: null, provider: null, areas: [], area: '420502001003' }

describe('an order', () => {
  it('is offered the steps of its state, and nobody confirms their own receipt', () => {
    expect(verbsOf(order, shop, 'worker')).toEqual(['ConfirmElderOrder'])
    expect(verbsOf(order, shop, 'shop')).toEqual([])
    expect(verbsOf({ state: 'ELDER_ORDER_STATE_PLACED' }, shop, 'shop')).toEqual(['TakeElderOrder', 'CancelElderOrder'])
    expect(verbsOf({ state: 'ELDER_ORDER_STATE_CANCELLED' }, shop, 'worker')).toEqual([])
    may.call = (rpc) => rpc === 'CancelElderOrder'
    expect(verbsOf({ state: 'ELDER_ORDER_STATE_DISPUTED' }, shop, 'worker')).toEqual(['CancelElderOrder'])
    may.call = () => true
  })

  it('keeps the price it was placed at, and the code of what is offered no more', () => {
    const lines = orderedLines(order.items ?? [], shop)
    expect(lines.map(({ name, most }) => [name, most])).toEqual([['助餐', 3], ['GONE', 1]])
    expect(totalOf([{ code: 'MEAL', units: 2 }], lines)).toBe(2400)
    expect([moneyOf('2400', 'zh'), moneyOf(undefined, 'zh')]).toEqual(['¥24.00', '¥0.00'])
  })

  it('holds only what is wanted', () => {
    expect(withUnits([{ code: 'A', units: 1 }], 'A', null)).toEqual([])
    expect(withUnits([{ code: 'A', units: 1 }], 'B', 2)).toEqual([{ code: 'A', units: 1 }, { code: 'B', units: 2 }])
  })

  it('goes to a provider that takes orders where the elder lives', () => {
    expect(servingArea([shop, { ...shop, state: 'PROVIDER_STATE_SUSPENDED' }, { ...shop, areaCode: '420503' }], GRID)).toEqual([shop])
    expect(servingArea([shop], undefined)).toEqual([])
    const values = { residentId: { residentId: 'r', areaCode: GRID }, providerId: 'p', items: [{ code: 'MEAL', units: 1 }], note: ' 周三 ' }
    expect(missingIn(FIELDS.PlaceElderOrder, {}, context)).toEqual(['residentId'])
    expect(requestIn(FIELDS.PlaceElderOrder, values, context)).toEqual({ residentId: 'r', providerId: 'p', items: [{ code: 'MEAL', units: 1 }], note: '周三' })
  })

  it('is rated when the receipt is right, and disputed with a reason when not', () => {
    expect(shownFields(FIELDS.ConfirmElderOrder, { right: true }, context).map(({ name }) => name)).toEqual(['right', 'rating'])
    expect(missingIn(FIELDS.ConfirmElderOrder, { right: false }, context)).toEqual(['reason'])
    expect(FIELDS.CompleteElderOrder[1]?.initial?.({ ...context, order }, { t: String, language: 'zh' })).toEqual([{ code: 'MEAL', units: 3 }, { code: 'GONE', units: 1 }])
  })
})

describe('a provider', () => {
  it('has every service with name, kind, code of its own, unit and price, which may be nothing', () => {
    expect(isWholePrices([meal, { ...meal, code: 'TALK', priceFen: '0' }])).toBe(true)
    expect([{}, { ...meal, kind: undefined }, { ...meal, code: 'meal' }, { ...meal, unit: ' ' }, { ...meal, priceFen: undefined }].map((one) => faultOf([one], 0))).toEqual(['name', 'kind', 'code', 'unit', 'priceFen'])
    expect(faultOf([meal, meal], 1)).toBe('code')
    expect([fenOf(12.5), fenOf(0), fenOf(null), yuanOf('1250'), yuanOf(undefined)]).toEqual(['1250', '0', undefined, 12.5, null])
  })

  it('offers what its kind may: custody is a day-care centre’s, an association has activities', () => {
    expect(offeredBy('PROVIDER_KIND_ASSOCIATION')).toEqual(['SERVICE_KIND_LEISURE'])
    expect(ProviderKind.filter((kind) => offeredBy(kind).includes('SERVICE_KIND_DAY_CARE'))).toEqual(['PROVIDER_KIND_DAY_CARE_CENTRE'])
  })

  it('is entered with a code that can be one, and changed as it was seen', () => {
    expect(faultsIn(FIELDS.CreateProvider, { uscc: '9142', prices: [{}] }, context)).toEqual({ uscc: 'elder.fault.uscc', prices: 'elder.fault.prices' })
    expect(requestIn(FIELDS.CreateProvider, { uscc: ' 91420500ma4yyyyyy2' }, context)).toEqual({ uscc: '91420500MA4YYYYYY2' })
    expect(givenOf('UpdateProvider', { order: null, provider: { ...shop, revision: '3' } })).toEqual({ providerId: 'p', revision: '3' })
    expect([givenOf('TakeElderOrder', { order, provider: null }), givenOf('CreateProvider', { order: null, provider: null })]).toEqual([{ orderId: 'o' }, {}])
  })
})

describe('words', () => {
  it('name every state, kind, room, verb and field in both languages', () => {
    const at = (words: unknown, path: string): unknown => path.split('.').slice(1).reduce((part, name) => (part as Record<string, unknown> | undefined)?.[name], words)
    const keys = Object.values(FIELDS).flat().flatMap(({ label, hint, yes, no }) => [label, hint, yes, no]).filter((key) => typeof key === 'string')
    for (const words of [zh, en]) {
      expect([Object.keys(words.state), Object.keys(words.kind), Object.keys(words.providerKind)]).toEqual([[...ElderOrderState], [...ServiceKind], [...ProviderKind]])
      expect([Object.keys(words.facility), Object.keys(words.providerState)]).toEqual([[...ElderFacility], [...ProviderState]])
      expect(keys.filter((key) => !at(words, String(key)))).toEqual([])
      for (const verb of VERBS) expect(words.verb[verb] && words.hint[verb]).toBeTruthy()
    }
    expect(Object.keys(reasonsEn)).toEqual(Object.keys(reasonsZh))
  })
})
