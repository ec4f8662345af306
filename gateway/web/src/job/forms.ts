/** What starting an import, an export, a cross-check or a feed asks for. Pure. */
import { always, type Field, type Option } from '@/forms/fields'
import { FeedKind, FileFormat, ImportKind, type MatchRule } from '@/generated/contract'
import { purposeOptions } from '@/people/purpose'
import SourceField from './SourceField.vue'

export interface Source {
  fileId: string
  name: string
  mapping: string
}

export interface JobContext {
  rules: readonly MatchRule[]
  areas: Option[]
  /** The caller's own area. */
  area: string
}

export type StartVerb = 'StartImport' | 'StartCrossCheck' | 'StartExport' | 'StartFeed'
type JobField = Field<JobContext>

/** Rules that hold two files against each other, and the one that looks for duplicates in the register itself. */
const TWO_FILES = ['MR03', 'MR06']
const NO_FILE = 'MR07'
const GRID_LOOKS = 'MR01'
/** The one purpose records of people are fed for: to verify what the register says (P11). */
const VERIFYING = 'P11'
/** The one purpose the roll of voters is written for (P09). */
const VOTING = 'P09'
const EXPORTED = ['name', 'sex', 'birth_date', 'id_doc_type', 'id_number', 'phone', 'resident_type', 'household_relation', 'area_code', 'match_flag'] as const

const faultOf = (value: unknown): string => {
  const source = value as Source
  if (!source.fileId) return 'job.fault.file'
  return source.mapping.trim() ? '' : 'job.fault.mapping'
}
const field = (name: string, kind: JobField['kind'], label: string, more: Partial<JobField> = {}): JobField => ({ name, kind, label: `job.field.${label}`, ...more })
const empty = (): Source => ({ fileId: '', name: '', mapping: '' })
const source = (file: string, mapping: string, label: string, more: Partial<JobField> = {}): JobField =>
  field(file, 'own', label, {
    required: always, component: SourceField, hint: 'job.field.sourceHint', initial: empty, fault: faultOf, aliases: [mapping],
    wire: (value) => ({ [`${file}.fileId`]: (value as Source).fileId, [mapping]: (value as Source).mapping }), ...more,
  })
/** The purpose travels in a header, not in the request. */
const purpose = (verb: StartVerb): JobField => field('purpose', 'choice', 'purpose', { required: always, options: (_, words) => purposeOptions(verb, words), wire: () => ({}) })
const basis = field('legalBasis', 'line', 'legalBasis', { required: always, hint: 'job.field.legalBasisHint', limit: 300 })
const area = (name: string): JobField => field(name, 'choice', 'areaPrefix', { options: ({ areas }) => areas })

export const FIELDS: Record<StartVerb, JobField[]> = {
  StartImport: [
    purpose('StartImport'), basis,
    field('importSpec.kind', 'choice', 'importKind', { required: always, hint: 'job.field.importKindHint', options: (_, { t }) => ImportKind.slice(1).map((value) => ({ value, label: t(`job.import.${value}`) })), initial: () => 'IMPORT_KIND_RESIDENTS' }),
    source('importSpec.source', 'importSpec.mapping', 'source', { more: { constants: true } }),
    field('importSpec.dryRun', 'switch', 'dryRun', { initial: () => true }),
  ],
  StartCrossCheck: [
    purpose('StartCrossCheck'), basis,
    field('crossCheckSpec.rule', 'choice', 'rule', {
      required: always, options: ({ rules }) => rules.map(({ code = '', zh = '' }) => ({ value: code, label: `${code} ${zh}` })),
    }),
    source('crossCheckSpec.source', 'crossCheckSpec.mapping', 'source', { shown: (values) => !!values['crossCheckSpec.rule'] && values['crossCheckSpec.rule'] !== NO_FILE }),
    source('crossCheckSpec.other', 'crossCheckSpec.otherMapping', 'other', { shown: (values) => TWO_FILES.includes(String(values['crossCheckSpec.rule'])) }),
    area('crossCheckSpec.areaPrefix'),
    field('crossCheckSpec.orders', 'switch', 'orders', { shown: (values) => values['crossCheckSpec.rule'] === GRID_LOOKS, initial: () => false }),
  ],
  StartFeed: [
    field('feedSpec.kind', 'choice', 'feedKind', { required: always, options: (_, { t }) => FeedKind.slice(1).map((value) => ({ value, label: t(`job.feed.${value}`) })), initial: () => 'FEED_KIND_RECORDS' }),
    { ...purpose('StartFeed'), options: (_, words, values) => purposeOptions('StartFeed', words).filter(({ value }) => values['feedSpec.kind'] !== 'FEED_KIND_RECORDS' || value === VERIFYING) },
    basis,
    source('feedSpec.source', 'feedSpec.mapping', 'source', { hint: 'job.field.feedHint' }),
    field('feedSpec.dryRun', 'switch', 'dryRun', { initial: () => true }),
  ],
  StartExport: [
    purpose('StartExport'), basis,
    field('exportSpec.fields', 'several', 'fields', { required: always, options: (_, { t }) => EXPORTED.map((name) => ({ value: name, label: name === 'id_doc_type' ? t('people.form.idDocType') : t(`people.field.${name}`) })), initial: () => ['name', 'sex', 'birth_date', 'area_code'] }),
    area('exportSpec.areaPrefix'),
    field('exportSpec.format', 'choice', 'format', { required: always, options: () => FileFormat.slice(1).map((value) => ({ value, label: value.replace('FILE_FORMAT_', '') })), initial: () => 'FILE_FORMAT_XLSX' }),
    field('exportSpec.inFull', 'switch', 'inFull', { initial: () => false }),
    field('exportSpec.electionDay', 'day', 'electionDay', { shown: (values) => values.purpose === VOTING, hint: 'job.field.electionDayHint' }),
  ],
}
