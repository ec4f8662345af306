/** What the steps of elder services ask for. Pure. */
import { always, type Field, type Option, type Values } from '@/forms/fields'
import { ElderFacility, ProviderKind, ProviderState, type AgreedPrice, type ElderOrder, type Provider, type Resident } from '@/generated/contract'
import PersonField from '@/people/fields/PersonField.vue'
import ItemRows from './ItemRows.vue'
import { isWholePrices, servingArea, type OrderVerb } from './orders'
import PriceRows from './PriceRows.vue'

export const VERBS = ['PlaceElderOrder', 'TakeElderOrder', 'CompleteElderOrder', 'ConfirmElderOrder', 'CancelElderOrder', 'CreateProvider', 'UpdateProvider'] as const
export type Verb = (typeof VERBS)[number]

export interface ElderContext {
  providers: readonly Provider[]
  /** The order a step is about, with its provider if that is known. */
  order: ElderOrder | null
  provider: Provider | null
  areas: Option[]
  /** The caller's own area. */
  area: string
}

type ElderField = Field<ElderContext>
const field = (name: string, kind: ElderField['kind'], more: Partial<ElderField> = {}): ElderField => ({ name, kind, label: `elder.field.${name}`, ...more })
/** Options of an enum; its first value says nothing. */
const named = (values: readonly string[], prefix: string): ElderField['options'] => (_, { t }) => values.slice(1).map((value) => ({ value, label: t(`elder.${prefix}.${value}`) }))
const livesAt = (values: Values): string | undefined => (values.residentId as Resident | undefined)?.areaCode
const isWrong = ({ right }: Values): boolean => right === false
const USCC = /^[0-9A-HJ-NPQRTUWXY]{18}$/
/** The longest standard etc. stand in the contract; a code is checked where it is entered. */
const tidy = (value: unknown): Values => ({ prices: (value as AgreedPrice[]).map((one) => ({ ...one, name: one.name?.trim(), unit: one.unit?.trim(), ...(one.standard?.trim() ? { standard: one.standard.trim() } : {}) })) })
const prices = field('prices', 'own', { required: always, component: PriceRows, initial: ({ provider }) => provider?.prices ?? [{}], wire: tidy, fault: (value) => (isWholePrices(value) ? '' : 'elder.fault.prices') })
const facilities = field('facilities', 'several', { options: named(ElderFacility, 'facility'), initial: ({ provider }) => provider?.facilities ?? [] })

export const FIELDS: Record<Verb, ElderField[]> = {
  PlaceElderOrder: [
    field('residentId', 'own', { required: always, component: PersonField, wire: (value) => ({ residentId: (value as Resident).residentId }) }),
    field('providerId', 'choice', {
      required: always, hint: 'elder.field.providerHint', shown: (values) => !!livesAt(values),
      options: ({ providers }, _, values) => servingArea(providers, livesAt(values)).map(({ providerId = '', name = '' }) => ({ value: providerId, label: name })),
    }),
    field('items', 'own', { required: always, component: ItemRows, hint: 'elder.field.itemsHint', shown: (values) => !!livesAt(values) }),
    field('note', 'text', { hint: 'elder.field.noteHint' }),
  ],
  TakeElderOrder: [],
  CompleteElderOrder: [
    field('receiptNumber', 'line', { required: always }),
    field('items', 'own', { required: always, label: 'elder.field.done', component: ItemRows, initial: ({ order }) => (order?.items ?? []).map(({ code, units }) => ({ code, units })) }),
  ],
  ConfirmElderOrder: [
    field('right', 'verdict', { required: always, yes: 'elder.yes', no: 'elder.no' }),
    field('rating', 'rating', { shown: ({ right }) => right === true }),
    field('reason', 'text', { label: 'elder.field.notRight', required: isWrong, shown: isWrong }),
  ],
  CancelElderOrder: [field('reason', 'text', { required: always })],
  CreateProvider: [
    field('kind', 'choice', { required: always, half: true, options: named(ProviderKind, 'providerKind'), initial: () => 'PROVIDER_KIND_MERCHANT' }),
    field('name', 'line', { required: always, half: true }),
    field('uscc', 'line', { required: always, half: true, limit: 18, wire: (value) => ({ uscc: String(value).trim().toUpperCase() }), fault: (value) => (USCC.test(String(value).trim().toUpperCase()) ? '' : 'elder.fault.uscc') }),
    field('areaCode', 'choice', { required: always, half: true, options: ({ areas }) => areas.filter(({ value }) => value.length <= 12), initial: ({ area }) => (area && area.length <= 12 ? area : undefined) }),
    field('account', 'line', { required: always, hint: 'elder.field.accountHint' }),
    facilities,
    prices,
  ],
  UpdateProvider: [field('state', 'choice', { required: always, half: true, options: named(ProviderState, 'providerState'), initial: ({ provider }) => provider?.state }), facilities, prices],
}

/** What the request names beside the fields. */
export function givenOf(verb: Verb, { order, provider }: Pick<ElderContext, 'order' | 'provider'>): Values {
  if (verb === 'UpdateProvider') return { providerId: provider?.providerId, revision: provider?.revision }
  return order ? { orderId: order.orderId } : {}
}

export const isDanger = (verb: Verb | OrderVerb): boolean => verb === 'CancelElderOrder'
