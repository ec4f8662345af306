/** What a form asks for, as data: fields, what is missing, and the request that comes of what was entered. Pure. */
import type { Component } from 'vue'
import type { FieldError } from '@/api/problem'

export type Values = Record<string, unknown>

/** How a field is entered; `own` brings a component of its own. */
export type FieldKind = 'text' | 'line' | 'verdict' | 'switch' | 'choice' | 'several' | 'attachments' | 'number' | 'time' | 'day' | 'clock' | 'lines' | 'rating' | 'own'

/** A type and not an interface: Naive UI's options take further keys. */
export type Option = { value: string; label: string }

/** Words in the language of the page. */
export interface Words {
  t(key: string, named?: Record<string, unknown>): string
  language: 'zh' | 'en'
}

export interface Field<C = unknown> {
  /** Name in the request; a dot leads into a message (`party.name`). */
  name: string
  kind: FieldKind
  /** Key of the catalogue. */
  label: string
  hint?: string | ((context: C, words: Words) => string)
  required?: (values: Values, context: C) => boolean
  shown?: (values: Values, context: C) => boolean
  options?: (context: C, words: Words, values: Values) => Option[]
  initial?: (context: C, words: Words) => unknown
  /** Keys of the two words of a verdict. */
  yes?: string
  no?: string
  /** Longest text, when the contract does not say it under the field's name. */
  limit?: number
  /** Bounds and step of a number. */
  number?: (context: C) => { min?: number; max?: number; step?: number }
  /** What the request says instead of what was entered, by names as of fields. */
  wire?: (value: unknown, context: C) => Values
  /** Further names under which the service complains about it. */
  aliases?: readonly string[]
  component?: Component
  /** Further properties of that component. */
  more?: Values
  /** Where something can be looked up; it opens in a new window, for what was entered stays. `label` is a key of the catalogue. */
  link?: (context: C) => { to: string; label: string }
  /** Takes half of a row in a wide dialog. */
  half?: boolean
  /** What is wrong with what was entered, as a key of the catalogue; '' when nothing is. */
  fault?: (value: unknown, context: C) => string
}

export const always = (): boolean => true

export const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'string' && !value.trim()) || (Array.isArray(value) && value.length === 0)

export function shownFields<C>(fields: readonly Field<C>[], values: Values, context: C): Field<C>[] {
  return fields.filter((field) => field.shown?.(values, context) ?? true)
}

/** Names of fields that still need something. */
export function missingIn<C>(fields: readonly Field<C>[], values: Values, context: C): string[] {
  const needed = shownFields(fields, values, context).filter((field) => field.required?.(values, context))
  return needed.filter(({ name }) => isEmpty(values[name])).map(({ name }) => name)
}

/** Faults of what was entered, by name. */
export function faultsIn<C>(fields: readonly Field<C>[], values: Values, context: C): Record<string, string> {
  const found = shownFields(fields, values, context).map((field) => [field.name, isEmpty(values[field.name]) ? '' : (field.fault?.(values[field.name], context) ?? '')] as const)
  return Object.fromEntries(found.filter(([, fault]) => fault))
}

/** What is sent of fields that are shown and not empty. */
export function requestIn<C>(fields: readonly Field<C>[], values: Values, context: C): Values {
  const request: Values = {}
  for (const field of shownFields(fields, values, context)) {
    const value = values[field.name]
    if (isEmpty(value)) continue
    if (field.wire) for (const [name, part] of Object.entries(field.wire(value, context))) put(request, name, part)
    else put(request, field.name, sent(field.kind, value))
  }
  return request
}

function sent(kind: FieldKind, value: unknown): unknown {
  if (kind === 'time') return instantOf(String(value))
  if (kind === 'lines') return linesOf(String(value))
  return typeof value === 'string' ? value.trim() : value
}

function put(request: Values, path: string, value: unknown): void {
  const [first = '', ...rest] = path.split('.')
  if (!rest.length) request[first] = value
  else put((request[first] ??= {}) as Values, rest.join('.'), value)
}

export const linesOf = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter(Boolean)

/** Whether a complaint of the service is about a field, or about something inside it. */
export function isAbout(field: Pick<Field, 'name' | 'aliases'>, error: FieldError): boolean {
  return [field.name, ...(field.aliases ?? [])].some((name) => error.field === name || error.field.startsWith(`${name}.`) || error.field.startsWith(`${name}[`))
}

/**
 * The field a complaint stands at: of those it is about, the one that is named most exactly (`home.since` rather than `home`). Rules about a
 * message inside the request name its own fields: `idNumber` then stands at `resident.idNumber`.
 */
export function fieldOf<F extends Pick<Field, 'name' | 'aliases'>>(fields: readonly F[], error: FieldError): F | undefined {
  const exactness = ({ name, aliases = [] }: F): number => Math.max(...[name, ...aliases].filter((one) => isAbout({ name: one }, error)).map(({ length }) => length))
  const named = fields.filter((field) => isAbout(field, error)).toSorted((a, b) => exactness(b) - exactness(a))[0]
  return named ?? fields.find(({ name, aliases = [] }) => [name, ...aliases].some((one) => one.endsWith(`.${error.field}`)))
}

const ZONE = '+08:00'
const EIGHT_HOURS = 8 * 3_600_000

/** "2026-12-31T09:30", as a picker of times gives it, is a time in Asia/Shanghai: whatever zone the device is in. */
export const instantOf = (local: string): string => new Date(`${local}${local.length === 16 ? ':00' : ''}${ZONE}`).toISOString()

/** The same backwards, to the minute. */
export const localOf = (time: number): string => new Date(time + EIGHT_HOURS).toISOString().slice(0, 16)
