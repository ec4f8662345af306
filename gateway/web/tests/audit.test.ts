import { describe, expect, it, vi } from 'vitest'
import { lineCutter, readAll } from '@/api/lines'
import { Problem } from '@/api/problem'
import { isOpen, lastRuns, NOTHING, toRequest, tookOf, windowOf } from '@/audit/trail'
import { en, zh } from '@/audit/words'
import tables from '@/generated/codes.json'
import { AuditAlertState } from '@/generated/contract'
import { feedFields, mappingOf, rowsOfCsv } from '@/job/jobs'
import { cellOf, csvOf, pageOf, pagesOf } from '@/question/voters'
import { elsewhere, factsOf } from '@/rights/copy'

describe('the trail', () => {
  it('is asked for what was filled in, times as instants', () => {
    expect(toRequest(NOTHING)).toEqual({})
    expect(toRequest({ ...NOTHING, subject: ' worker ', since: '2026-11-22T08:00' })).toEqual({ subject: 'worker', since: '2026-11-22T00:00:00.000Z' })
  })

  it('tells windows in the largest unit that fits', () => {
    expect([windowOf(3_600), windowOf(86_400), windowOf(90), windowOf(0)]).toEqual([{ unit: 'hours', n: 1 }, { unit: 'days', n: 1 }, { unit: 'minutes', n: 2 }, { unit: 'minutes', n: 1 }])
    expect([isOpen({ state: 'AUDIT_ALERT_STATE_OPEN' }), isOpen({ state: 'AUDIT_ALERT_STATE_CLOSED' })]).toEqual([true, false])
  })
})

describe('retention', () => {
  it('knows the last run of each rule and how long it took', () => {
    const runs = [{ rule: 'residents', day: '2026-11-22' }, { rule: 'residents', day: '2026-11-21' }]
    expect(lastRuns(runs).get('residents')?.day).toBe('2026-11-22')
    expect([tookOf({ startedAt: '2026-11-22T00:00:00Z', endedAt: '2026-11-22T00:00:01.5Z' }), tookOf({})]).toEqual([1.5, Number.NaN])
  })

  it('names every rule and what it does', () => {
    expect(tables.retention.length).toBeGreaterThan(5)
    for (const words of [zh, en]) {
      expect(tables.retention.filter(({ code, action, days }) => !words.rule[code] || !words.action[action] || !(days > 0))).toEqual([])
      expect(Object.keys(words.states)).toEqual(AuditAlertState.slice(1))
    }
  })
})

describe('a stream of lines', () => {
  const answer = (text: string, status = 200) => new Response(text, { status })
  const asked: string[] = []
  const answers = (...texts: string[]) => vi.stubGlobal('fetch', vi.fn(async (url: string) => (asked.push(url), answer(texts.shift() ?? ''))))

  it('is cut into whole lines; what is left waits', () => {
    const cut = lineCutter()
    expect([cut('{"a":1}\n{"b"'), cut(':2}\n\n'), cut('\n')]).toEqual([['{"a":1}'], ['{"b":2}'], []])
  })

  it('goes on behind the last cursor until nothing more comes', async () => {
    answers('{"entries":[{"name":"a"}],"cursor":"1"}\n', '\n{"entries":[{"name":"b"}],"cursor":"2"}\n', '')
    const names: (string | undefined)[] = []
    await readAll('ExportVoterRoll', { areaPrefix: '420502' }, 'P09', (message) => names.push(...(message.entries ?? []).map(({ name }) => name)), new AbortController().signal)
    expect(names).toEqual(['a', 'b'])
    expect(asked.map((url) => new URL(url, 'http://x').searchParams.get('cursor'))).toEqual([null, '1', '2'])
  })

  it('throws what went wrong, also when it came last', async () => {
    answers('{"entries":[],"cursor":"1"}\n{"problem":{"status":503,"reason":"UNAVAILABLE"}}\n')
    const read = readAll('ExportVoterRoll', {}, 'P09', () => undefined, new AbortController().signal)
    await expect(read).rejects.toSatisfy((problem: unknown) => problem instanceof Problem && problem.status === 503)
  })
})

describe('the voter roll', () => {
  it('comes in pages', () => {
    expect([pagesOf(0), pagesOf(50), pagesOf(51)]).toEqual([1, 1, 2])
    expect(pageOf(Array.from({ length: 60 }, (_, at) => at), 2)).toEqual([50, 51, 52, 53, 54, 55, 56, 57, 58, 59])
  })

  it('is saved as a file in which nothing is a formula', () => {
    expect([cellOf('=1+1'), cellOf('a,"b'), cellOf('王')]).toEqual(["'=1+1", '"a,""b"', '王'])
    const names = { head: ['号', '名'], sex: () => '男', area: () => '社区', type: () => '户籍' }
    expect(csvOf([{ name: '王', birthDate: '1941-03-05', areaCode: '42' }], names).join('')).toBe('\ufeff号,名\r\n1,王,男,1941-03-05,社区,42,户籍\r\n')
  })
})

describe('feeds', () => {
  it('map only what a department may feed', () => {
    expect(JSON.parse(mappingOf(['身份证号', '姓名', '政治面貌', '地址'], feedFields('FEED_KIND_RECORDS'), {}))).toEqual({ columns: { 身份证号: 'id_number', 姓名: 'name' } })
    expect(JSON.parse(mappingOf(['规则', '发生日期', '身份证号'], feedFields('FEED_KIND_LIFE_EVENTS'), {})).columns).toEqual({ 规则: 'rule', 发生日期: 'occurred_on', 身份证号: 'id_number' })
  })

  it('show the rows that were refused', () => {
    expect(rowsOfCsv('\ufeff行号 row,原因 reason\r\n2,"A, ""B""\nC"\r\n')).toEqual([['行号 row', '原因 reason'], ['2', 'A, "B"\nC']])
    expect(rowsOfCsv('a,,c\n')).toEqual([['a', '', 'c']])
    expect(rowsOfCsv('')).toEqual([])
  })
})

describe('a copy of one’s own data', () => {
  const answer = { json: JSON.stringify({ residents: [{ name: '吴桂英', sex: '2', phone: '138', household_relation: '' }], care_entries: [{}, {}] }) }

  it('tells the facts of the entry in words, and what else is kept', () => {
    expect(factsOf(answer, 'zh')).toEqual([{ field: 'name', value: '吴桂英' }, { field: 'sex', value: '女性' }, { field: 'phone', value: '138' }])
    expect(elsewhere(answer)).toEqual([{ name: 'care_entries', count: 2 }])
    expect([factsOf({}, 'zh'), elsewhere({})]).toEqual([[], []])
  })
})
