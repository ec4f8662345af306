/** How jobs are told and what may be done about them; how a file is cut for its upload, and what its columns are likely to be. Pure. */
import type { FeedKind, Job, JobState } from '@/generated/contract'

const ENDED: readonly JobState[] = ['JOB_STATE_CANCELLED', 'JOB_STATE_FAILED', 'JOB_STATE_FINISHED']
export const hasEnded = (job: Job): boolean => ENDED.includes(job.state ?? 'JOB_STATE_UNSPECIFIED')

export type JobVerb = 'ApproveJob' | 'CancelJob' | 'ResumeJob'

/** What the states of a job allow. Nobody approves a job of their own. */
export function verbsOf(job: Job, subject: string): JobVerb[] {
  switch (job.state) {
    case 'JOB_STATE_AWAITING_APPROVAL':
      return [...(job.startedBy === subject ? [] : ['ApproveJob' as const]), 'CancelJob']
    case 'JOB_STATE_QUEUED':
    case 'JOB_STATE_RUNNING':
      return ['CancelJob']
    case 'JOB_STATE_CANCELLED':
    case 'JOB_STATE_FAILED':
      return ['ResumeJob']
    default:
      return []
  }
}

/** Share of the present stage that is done, 0 to 1; NaN when nobody knows of how much. */
export function shareOf(job: Job): number {
  if (job.state === 'JOB_STATE_FINISHED') return 1
  const total = Number(job.total ?? 0)
  return total > 0 ? Math.min(1, Number(job.done ?? 0) / total) : Number.NaN
}

/** "linking: blocking" → the stage and what it is at. */
export function stageOf(job: Job): { stage: string; at: string } {
  const [stage = '', at = ''] = (job.stage ?? '').split(': ')
  return { stage, at }
}

/** Results of a cross-check in the order of a report; their sum is every record once. */
export const RESULTS = ['matched', 'differing', 'possible', 'left_only', 'right_only'] as const

/** Counts by name, those of the results apart. */
export function countsOf(job: Job): { results: { name: string; value: number }[]; others: { name: string; value: number }[] } {
  const all = (job.counts ?? []).map(({ name = '', value }) => ({ name, value: Number(value ?? 0) }))
  // What a feed has found in the register is no result of a comparison.
  if (job.kind === 'JOB_KIND_FEED') return { results: [], others: all.map((one) => (one.name === 'matched' ? { ...one, name: 'known' } : one)) }
  const isResult = (name: string): boolean => (RESULTS as readonly string[]).includes(name)
  const results = RESULTS.flatMap((name) => all.filter((one) => one.name === name))
  return { results, others: all.filter(({ name }) => !isResult(name)) }
}

/** 1 MiB: every part but the last has exactly so many bytes. */
export const PART = 1_048_576

/** Where the parts of a file begin and end; an empty file has one empty part. */
export function partsOf(size: number): { from: number; to: number; last: boolean }[] {
  const count = Math.max(1, Math.ceil(size / PART))
  return Array.from({ length: count }, (_, at) => ({ from: at * PART, to: Math.min(size, (at + 1) * PART), last: at === count - 1 }))
}

/** 12 KB, 3.4 MB */
export function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  return bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** Bytes of the protocol, as JSON has them. */
export function base64Of(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768))
  return btoa(text)
}

/** What columns of departments are usually called. */
const USUAL: Readonly<Record<string, string>> = {
  姓名: 'name', 身份证号: 'id_number', 身份证号码: 'id_number', 证件号码: 'id_number', 公民身份号码: 'id_number', 证件种类: 'id_doc_type', 证件类型: 'id_doc_type', 性别: 'sex', 出生日期: 'birth_date',
  电话: 'phone', 手机: 'phone', 手机号: 'phone', 联系电话: 'phone', 人口类型: 'resident_type', 与户主关系: 'household_relation', 区划代码: 'area_code', 网格代码: 'area_code', 编号: 'reference',
  规则: 'rule', 事项代码: 'rule', 发生日期: 'occurred_on', 事项说明: 'detail', 联系人: 'contact_name', 地址: 'address', 统一社会信用代码: 'uscc', 数据日期: 'as_of', 户号: 'household', 居民编号: 'resident_id', 房屋编号: 'house_id',
}
const OWN = ['rule', 'occurred_on', 'detail', 'ordinal', 'contact_name', 'address', 'uscc', 'consent', 'as_of', 'resident_id', 'name', 'name_latin', 'id_number', 'id_doc_type', 'sex', 'birth_date', 'phone', 'resident_type', 'household_relation', 'area_code', 'reference', 'house_id', 'tenure', 'since', 'household', 'match_flag']

/** Fields of an import of households. */
export const HOUSEHOLD_FIELDS: readonly string[] = ['household', 'area_code', 'house_id', 'match_flag', 'resident_id', 'id_doc_type', 'id_number', 'household_relation']
const RECORD_FIELDS = ['id_number', 'as_of', 'name', 'name_latin', 'sex', 'birth_date', 'phone', 'resident_type', 'household_relation']
const EVENT_FIELDS = ['rule', 'occurred_on', 'id_number', 'resident_id', 'house_id', 'uscc', 'area_code', 'detail', 'ordinal', 'contact_name', 'address', 'consent']
/** Fields a department may feed: of its records of people, or of life events. */
export const feedFields = (kind: FeedKind): readonly string[] => (kind === 'FEED_KIND_LIFE_EVENTS' ? EVENT_FIELDS : RECORD_FIELDS)

/** Cells of CSV, row by row; quoted cells may hold commas, quotes and line ends. */
export function rowsOfCsv(text: string): string[][] {
  const rows: string[][] = [[]]
  const cell = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g
  for (const [all, quoted, plain, end] of text.replace(/^\ufeff/, '').matchAll(cell)) {
    if (!all && !rows.at(-1)?.length) break
    rows.at(-1)?.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (!end) break
    if (end !== ',') rows.push([])
  }
  return rows.filter((row) => row.length)
}

/** The header line of a CSV file: its cells, quotes taken off. */
export const headerOf = (text: string): string[] =>
  (text.replace(/^\ufeff/, '').split(/\r?\n/, 1)[0] ?? '').split(/[,\t;]/).map((cell) => cell.trim().replace(/^"|"$/g, '')).filter(Boolean)

/** A mapping to begin with; columns that are not known are left out, and so never read. `fields`: those the rule allows; none: any. */
export function mappingOf(header: readonly string[], fields: readonly string[], constants: Record<string, string>): string {
  const allowed = (field: string): boolean => fields.length === 0 || fields.includes(field)
  const known = header.map((column) => [column, USUAL[column] ?? (OWN.includes(column) ? column : '')] as const).filter(([, field]) => field && allowed(field))
  const columns = Object.fromEntries(known.map(([column, field]) => [column, column === '性别' ? { field, values: { 男: '1', 女: '2' } } : field]))
  return JSON.stringify({ columns, ...(Object.keys(constants).length ? { constants } : {}) }, null, 2)
}
