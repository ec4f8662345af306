/** Who is logged in. The session itself is an HttpOnly cookie: pages only know what `/auth/me` says. */
import { computed, ref } from 'vue'
import { routes, type Rpcs } from '@/generated/contract'
import { onUnauthenticated, send } from './call'
import { Problem } from './problem'

export interface Me {
  sub: string
  name: string
  roles: string[]
  area: string
  department: string
  /** Purposes the person may state (purpose_code.csv). */
  purposes?: string[]
}

const me = ref<Me | null>(null)
let asked: Promise<void> | null = null

export const currentUser = computed(() => me.value)

/** Asks once who is logged in; nobody is no error. */
export function loadSession(): Promise<void> {
  asked ??= fetchMe().catch((problem: unknown) => {
    asked = null
    if (!(problem instanceof Problem) || (problem.status !== 401 && problem.status !== 403)) throw problem
  })
  return asked
}

async function fetchMe(): Promise<void> {
  me.value = normalised(await send<Partial<Me>>('GET', '/auth/me'))
}

function normalised(answer: Partial<Me>): Me {
  return { sub: '', name: '', area: '', department: '', ...answer, roles: answer.roles ?? [], purposes: answer.purposes ?? [] }
}

/** Logs in; throws `Problem` 401 when name or password is wrong. */
export async function logIn(username: string, password: string): Promise<void> {
  await send('POST', '/auth/login', { username, password })
  asked = fetchMe()
  await asked
}

export async function logOut(): Promise<void> {
  await send('POST', '/auth/logout')
  forgetSession()
}

/** Drops what is known after a 401: the next page asks for a login. */
export function forgetSession(): void {
  me.value = null
  asked = null
}

onUnauthenticated(forgetSession)

/** Asks whether the session still lives; drops it if not. Streams ask when they were refused, for they are not told why. */
export async function checkSession(): Promise<void> {
  await send('GET', '/auth/me').catch(() => undefined)
}

/** Whether the protos let one of the caller's roles call the rpc. */
export function mayCall(rpc: keyof Rpcs): boolean {
  const { roles } = routes[rpc]
  return roles.length === 0 || roles.some((role) => me.value?.roles.includes(role))
}

/** Purposes the caller may state for an rpc: those of the protos (any, where they name none) that the caller holds. */
export function purposesFor(rpc: keyof Rpcs): string[] {
  const { purposes } = routes[rpc]
  const mine = me.value?.purposes ?? []
  return purposes.length === 0 ? mine : mine.filter((one) => purposes.includes(one))
}
