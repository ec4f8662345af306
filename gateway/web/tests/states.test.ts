/** What pages show when there is nothing, when the connection is gone, and when an address names no case. */
import { renderToString } from 'vue/server-renderer'
import { createSSRApp } from 'vue'
import { describe, expect, it, vi } from 'vitest'
import { Problem } from '@/api/problem'
import { donutOption, type Palette } from '@/board/charts'
import { firstFilled } from '@/board/entries'
import { asMissing } from '@/case/useCase'
import LiveState from '@/ui/LiveState.vue'

vi.mock('@/i18n', () => ({}))
vi.mock('@/api/session', () => ({}))

const none = { red: 0, yellow: 0, green: 0, check: 0 }
const palette = { line: '#ddd', surface: '#fff', lanes: { red: 'r', yellow: 'y', green: 'g', check: 'c' } } as Palette

describe('the connection badge', () => {
  it('is dressed as live in that state only', async () => {
    const classes: Record<string, string[]> = {}
    for (const state of ['connecting', 'live', 'waiting', 'closed'] as const) {
      const app = createSSRApp(LiveState, { state })
      app.config.globalProperties.$t = (key: string) => key
      classes[state] = /class="([^"]*)"/.exec(await renderToString(app))?.[1]?.split(' ') ?? []
    }
    expect(Object.keys(classes).filter((state) => classes[state]?.includes('live'))).toEqual(['live'])
    expect(classes.waiting).toContain('waiting')
  })
})

describe('a board without cases', () => {
  const dataOf = (counts: typeof none): unknown[] => (donutOption(counts, { red: '', yellow: '', green: '', check: '' }, palette).series as { data: unknown[] }[])[0]?.data ?? []

  it('draws an empty ring, and otherwise the lanes that hold a case', () => {
    expect(dataOf(none)).toEqual([])
    expect(dataOf({ ...none, green: 2 })).toHaveLength(1)
  })

  it('opens a phone with the most pressing column that holds a case', () => {
    expect(firstFilled({ ...none, green: 3, check: 1 })).toBe('green')
    expect(firstFilled({ ...none, check: 1 })).toBe('check')
    expect(firstFilled(none)).toBe('red')
  })
})

describe('an address without a case', () => {
  it('reads alike whether the id is unknown or cannot be one', () => {
    const malformed = asMissing(new Problem(400, { reason: 'INVALID_ARGUMENT', detail: 'case_id: must be a UUID', request_id: 'r1' })) as Problem
    expect([malformed.status, malformed.reason, malformed.requestId]).toEqual([404, 'CASE_NOT_FOUND', 'r1'])
    const unreachable = new Problem(503)
    expect(asMissing(unreachable)).toBe(unreachable)
  })
})
