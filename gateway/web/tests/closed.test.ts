/** Pages that are closed to a role, and where the register leads those it is not for. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { call } from '@/api/call'
import { forgetSession, loadSession } from '@/api/session'
import { openTabs } from '@/people/tabs'
import { isClosed } from '@/shell/closed'

const answer = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })

async function signedIn(roles: string[], purposes: string[] = []): Promise<void> {
  forgetSession()
  vi.stubGlobal('fetch', () => Promise.resolve(answer({ sub: 'somebody', roles, purposes })))
  await loadSession()
}

afterEach(() => {
  forgetSession()
  vi.unstubAllGlobals()
})

describe('pages by role', () => {
  it('lead to the first page of the register that is open', async () => {
    await signedIn(['DEPT_HANDLER', 'DEPT_LEAD'], ['P05'])
    expect([isClosed('people'), isClosed('jobs'), isClosed('inbox'), openTabs()[0]?.to]).toEqual([true, false, false, '/people/jobs'])
    await signedIn(['SUPERVISION'], ['P07'])
    expect([isClosed('people'), isClosed('figures'), openTabs()[0]?.to]).toEqual([true, false, '/people/figures'])
    await signedIn(['COMM_CLERK'], ['P12'])
    expect([isClosed('people'), openTabs()[0]?.to]).toEqual([false, '/people'])
  })

  it('close what a role may not read, and nothing that is for all', async () => {
    await signedIn(['COMM_CLERK'], ['P12'])
    expect(['my-data', 'jobs', 'board', 'notices', 'case'].map(isClosed)).toEqual([true, true, false, false, false])
  })

  it('offer no tab whose purposes the caller may not state', async () => {
    await signedIn(['RESIDENT'], ['P01', 'P12'])
    expect(openTabs().map(({ to }) => to)).toEqual(['/my-data'])
    await signedIn(['RESIDENT'], ['P01'])
    expect(openTabs()).toEqual([])
  })

  it('never close a tab that is offered', async () => {
    const names: Record<string, string> = { '/people': 'people', '/my-data': 'my-data', '/people/care/figures': 'careFigures' }
    for (const role of ['GRID_WORKER', 'DEPT_HANDLER', 'DPO', 'DISPATCHER', 'MERCHANT', 'DATA_STEWARD', 'AUDITOR', 'ASSESSOR']) {
      await signedIn([role], ['P12', 'P13'])
      expect(openTabs().filter(({ to }) => isClosed(names[to] ?? to.split('/')[2] ?? '')), role).toEqual([])
    }
  })
})

describe('a refused role', () => {
  const refusal = (): void => void vi.stubGlobal('fetch', () => Promise.resolve(answer({ reason: 'ROLE_REQUIRED', detail: 'None of your roles may do this.' }, 403)))

  it('is told that it may not read, or that it may not take the step', async () => {
    refusal()
    await expect(call('ListResidents', {})).rejects.toMatchObject({ status: 403, reason: 'ROLE_NOT_TO_READ' })
    await expect(call('CreateResident', {})).rejects.toMatchObject({ status: 403, reason: 'ROLE_REQUIRED' })
  })
})
