/** Elder services: prices in yuan, what an order holds, and who is offered which step. Pure. */
import { mayCall } from '@/api/session'
import type { AgreedPrice, ElderOrder, OrderItem, Provider, ProviderKind, ServiceKind } from '@/generated/contract'
import type { Language } from '@/i18n'

export const ORDER_VERBS = ['TakeElderOrder', 'CompleteElderOrder', 'ConfirmElderOrder', 'CancelElderOrder'] as const
export type OrderVerb = (typeof ORDER_VERBS)[number]

/** Steps by state; a receipt that is disputed is replaced, or the order given up. */
const STEPS: Partial<Record<NonNullable<ElderOrder['state']>, readonly OrderVerb[]>> = {
  ELDER_ORDER_STATE_PLACED: ['TakeElderOrder', 'CancelElderOrder'],
  ELDER_ORDER_STATE_TAKEN: ['CompleteElderOrder', 'CancelElderOrder'],
  ELDER_ORDER_STATE_DONE: ['ConfirmElderOrder'],
  ELDER_ORDER_STATE_DISPUTED: ['CompleteElderOrder', 'CancelElderOrder'],
}

/** What kinds of service a kind of provider offers: custody needs a house for it, an association has activities only. */
const OFFERED: Partial<Record<ProviderKind, readonly ServiceKind[]>> = {
  PROVIDER_KIND_MERCHANT: ['SERVICE_KIND_DAILY_LIFE', 'SERVICE_KIND_LEISURE', 'SERVICE_KIND_MARKET'],
  PROVIDER_KIND_DAY_CARE_CENTRE: ['SERVICE_KIND_DAY_CARE', 'SERVICE_KIND_DAILY_LIFE', 'SERVICE_KIND_LEISURE', 'SERVICE_KIND_MARKET'],
  PROVIDER_KIND_ASSOCIATION: ['SERVICE_KIND_LEISURE'],
}
export const offeredBy = (kind: unknown): readonly ServiceKind[] => OFFERED[kind as ProviderKind] ?? []

/** Steps the state allows and the caller may take; nobody confirms their own receipt. */
export function verbsOf(order: ElderOrder, provider: Provider | undefined, me: string): OrderVerb[] {
  const steps = STEPS[order.state ?? 'ELDER_ORDER_STATE_UNSPECIFIED'] ?? []
  return steps.filter((verb) => mayCall(verb) && !(verb === 'ConfirmElderOrder' && !!me && provider?.account === me))
}

/** 1200 fen → ¥12.00 */
export const moneyOf = (fen: string | number | undefined, language: Language): string =>
  new Intl.NumberFormat(language === 'zh' ? 'zh-CN' : 'en', { style: 'currency', currency: 'CNY' }).format(Number(fen ?? 0) / 100)

/** 12.5 yuan → "1250" fen, an int64 in JSON. */
export const fenOf = (yuan: number | null): string | undefined => (yuan === null ? undefined : String(Math.round(yuan * 100)))
export const yuanOf = (fen: string | undefined): number | null => (fen === undefined ? null : Number(fen) / 100)

/** One line of a form for units. */
export interface Line {
  code: string
  name: string
  unit: string
  priceFen: string
  /** Most units. */
  most: number
}

/** Most units of one service in an order. */
const MOST = 1000

/** What can be ordered of a provider. */
export const linesOf = (provider: Provider | undefined): Line[] =>
  (provider?.prices ?? []).map(({ code = '', name = '', unit = '', priceFen = '0' }) => ({ code, name, unit, priceFen, most: MOST }))

/** What was ordered, by the names it has today; a service that is offered no more has its code. */
export const orderedLines = (items: readonly OrderItem[], provider: Provider | undefined): Line[] =>
  items.map(({ code = '', units = 0, priceFen = '0' }) => {
    const price = provider?.prices?.find((one) => one.code === code)
    return { code, name: price?.name ?? code, unit: price?.unit ?? '', priceFen, most: units }
  })

/** Sum in fen of units at the prices of these lines. */
export const totalOf = (items: readonly OrderItem[], lines: readonly Line[]): number =>
  items.reduce((sum, { code, units = 0 }) => sum + units * Number(lines.find((line) => line.code === code)?.priceFen ?? 0), 0)

/** The items with so many units of one service; none of it leaves it out. */
export function withUnits(items: readonly OrderItem[], code: string, units: number | null): OrderItem[] {
  const others = items.filter((one) => one.code !== code)
  return units ? [...others, { code, units }] : others
}

const CODE = /^[A-Z0-9]{2,20}$/

/** What is missing in, or wrong with, a service agreed on. */
export function faultOf(prices: readonly AgreedPrice[], place: number): keyof AgreedPrice | '' {
  const { name, kind, code = '', unit, priceFen } = prices[place] ?? {}
  if (!name?.trim()) return 'name'
  if (!kind) return 'kind'
  if (!CODE.test(code) || prices.some((one, at) => at < place && one.code === code)) return 'code'
  if (!unit?.trim()) return 'unit'
  return priceFen === undefined ? 'priceFen' : ''
}

export const isWholePrices = (value: unknown): boolean => (value as AgreedPrice[]).every((_, place, all) => !faultOf(all, place))

/** Providers that take orders where somebody lives. */
export const servingArea = (providers: readonly Provider[], areaCode: string | undefined): Provider[] =>
  providers.filter((one) => one.state === 'PROVIDER_STATE_CONTRACTED' && !!one.areaCode && !!areaCode?.startsWith(one.areaCode))
