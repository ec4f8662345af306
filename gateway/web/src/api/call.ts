/** One function for every rpc: method, path, query and body come from the protos (`google.api.http`). */
import { routes, type Rpcs } from '@/generated/contract'
import { learnServerTime } from '@/model/now'
import { Problem, problemOf } from './problem'

type Plain = Record<string, unknown>

/** Custom header a form of another site cannot set: the gateway asks for it on every mutation made with the session cookie. */
const OURS = { 'X-Requested-With': 'binglian' }

let refused = (): void => undefined

/** Says what happens when the gateway knows no session (any more). */
export function onUnauthenticated(handler: () => void): void {
  refused = handler
}

/** A request made elsewhere was answered with 401. */
export const onRefused = (): void => refused()

/** Path of a route with its `{names}` filled in, and the names used. */
export function fillPath(path: string, values: Plain): { path: string; used: Set<string> } {
  const used = new Set<string>()
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    used.add(name)
    return encodeURIComponent(String(values[name] ?? ''))
  })
  return { path: filled, used }
}

/** Name and value pairs of a query: lists repeat their name, fields of messages get a dotted one (`point.longitude`). */
function pairsOf(name: string, value: unknown): [string, string][] {
  if (value === undefined || value === null || value === '') return []
  if (Array.isArray(value)) return value.flatMap((one) => pairsOf(name, one))
  if (typeof value !== 'object') return [[name, String(value)]]
  return Object.entries(value).flatMap(([field, inner]) => pairsOf(`${name}.${field}`, inner))
}

/** Query string of all values that are neither empty nor in `used`. */
export function queryOf(values: Plain, used: Set<string>): string {
  const pairs = Object.entries(values).flatMap(([name, value]) => (used.has(name) ? [] : pairsOf(name, value)))
  const query = new URLSearchParams(pairs).toString()
  return query && `?${query}`
}

/** URL of a route for GET requests and event streams. */
export function urlOf<Name extends keyof Rpcs>(name: Name, request: Rpcs[Name]['request']): string {
  const { path, used } = fillPath(routes[name].path, request as Plain)
  return path + queryOf(request as Plain, used)
}

/** What goes along with a call: the trace it belongs to, and why personal data is read (purpose_code.csv). */
interface More {
  traceparent?: string
  purpose?: string
}

export const headersOf = ({ traceparent, purpose }: More): Record<string, string> => ({ ...OURS, ...(traceparent ? { traceparent } : {}), ...(purpose ? { 'X-Purpose': purpose } : {}) })

/** Sends one HTTP request and gives its JSON; throws `Problem` for everything that is not 2xx. */
export async function send<T>(method: string, url: string, body?: unknown, more: More = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', ...headersOf(more) }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const response = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }).catch(() => {
    throw new Problem(0)
  })
  learnServerTime(response.headers.get('Date'))
  if (response.status === 401) refused()
  if (!response.ok) throw await problemOf(response)
  const text = await response.text()
  return (text ? JSON.parse(text) : {}) as T
}

/** Fetches a file an rpc answers with, and the name it asks to be saved under. */
export async function fetchFile<Name extends keyof Rpcs>(name: Name, request: Rpcs[Name]['request'], purpose: string): Promise<{ blob: Blob; name: string }> {
  const response = await fetch(urlOf(name, request), { headers: headersOf({ purpose }) }).catch(() => {
    throw new Problem(0)
  })
  if (response.status === 401) refused()
  if (!response.ok) throw await problemOf(response)
  return { blob: await response.blob(), name: fileNameOf(response.headers.get('Content-Disposition') ?? '') }
}

/** The name in a Content-Disposition header: its `filename*` in UTF-8 if there is one. */
export function fileNameOf(header: string): string {
  const extended = /filename\*=utf-8''([^;]+)/i.exec(header)?.[1]
  return extended ? decodeURIComponent(extended) : (/filename="?([^";]+)"?/i.exec(header)?.[1] ?? '')
}

/** A role that may not read something is told so, and not that it cannot take a step. */
function asReading(problem: unknown): never {
  throw problem instanceof Problem && problem.status === 403 && problem.reason === 'ROLE_REQUIRED' ? problem.as(403, 'ROLE_NOT_TO_READ') : problem
}

/** Calls an rpc through the gateway. With the `traceparent` of a case the call becomes part of that case's one trace. */
export async function call<Name extends keyof Rpcs>(
  name: Name,
  request: Rpcs[Name]['request'],
  traceparent?: string,
  purpose?: string,
): Promise<Rpcs[Name]['response']> {
  const route = routes[name]
  if (route.method === 'GET') return send<Rpcs[Name]['response']>('GET', urlOf(name, request), undefined, { purpose }).catch(asReading)
  if (route.method === 'DELETE') return send(route.method, urlOf(name, request), undefined, { purpose })
  const { path, used } = fillPath(route.path, request as Plain)
  const body = Object.fromEntries(Object.entries(request as Plain).filter(([field]) => !used.has(field)))
  return send(route.method, path, body, { traceparent, purpose })
}
