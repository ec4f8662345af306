/** Purposes (purpose_code.csv): why somebody looks at personal data, and how much of it each shows. */
import { purposesFor } from '@/api/session'
import type { Option, Words } from '@/forms/fields'
import tables from '@/generated/codes.json'
import type { Rpcs } from '@/generated/contract'
import type { Language } from '@/i18n'
import { codeName } from '@/model/codes'

/** Requests of people about their own data. */
export const RIGHTS = 'P12'
/** Auditing. */
export const AUDIT = 'P13'

/** P01 居民服务办理 */
export const purposeName = (code: string | undefined, language: Language): string => (code ? `${code} ${codeName('purposes', code, language)}` : '')

/** The most sensitive data a purpose shows, L1 to L3. */
export const shownBy = (code: string): string => tables.purposes.find((one) => one.code === code)?.shows ?? ''

/** Purposes the caller may state for an rpc, with how much each shows. */
export function purposeOptions(rpc: keyof Rpcs, { t, language }: Words): Option[] {
  return purposesFor(rpc).map((code) => ({ value: code, label: `${purposeName(code, language)} · ${t(`people.shows.${shownBy(code)}`)}` }))
}
