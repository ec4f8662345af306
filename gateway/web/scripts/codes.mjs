// Writes src/generated/codes.json from the code tables the services ship, so that names in the pages cannot drift from them.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readTable } from './csv.mjs'

const web = dirname(dirname(fileURLToPath(import.meta.url)))
const root = process.env.BINGLIAN_ROOT ?? join(web, '..', '..')

/** Folders `svc-…/<package>/codes` of the repository, and svckit's, svc-mediation's first: it owns most tables the pages name. */
function codeFolders() {
  const services = readdirSync(root).filter((name) => name.startsWith('svc-') || name === 'svckit')
  services.sort((a, b) => Number(b === 'svc-mediation') - Number(a === 'svc-mediation'))
  return services
    .flatMap((service) => readdirSync(join(root, service)).map((name) => join(root, service, name, 'codes')))
    .filter(existsSync)
}

/** Path of a code table by its file name, wherever a service keeps it; says what is missing otherwise. */
function tablePath(name) {
  for (const folder of codeFolders()) {
    const found = readdirSync(folder, { recursive: true }).find((path) => path.split('/').at(-1) === name)
    if (found) return join(folder, found)
  }
  throw new Error(`code table ${name} is in no */*/codes folder under ${root}`)
}

/** The rules of retention.yaml: plain mappings of names to plain mappings, two and four blanks deep. */
function retentionRules() {
  const [, rules = ''] = /^rules:\n([\s\S]*?)(?=^\S)/m.exec(readFileSync(tablePath('retention.yaml'), 'utf8')) ?? []
  const read = []
  for (const line of rules.split('\n')) {
    const [, indent = '', key = '', value = ''] = /^( *)([a-z_]+): *([^#]*?) *(?:#.*)?$/.exec(line) ?? []
    if (indent.length === 2) read.push({ code: key })
    else if (indent.length === 4) read.at(-1)[key] = value
  }
  return read.map(({ code, purpose, basis, action, days }) => ({ code, zh: code, en: code, purpose, basis, action, days: Number(days) }))
}

const named = (rows, code = (row) => row.code) => rows.map((row) => ({ code: code(row), zh: row.zh, en: row.en }))
const table = (name) => readTable(tablePath(name))
const lettered = (letter, name) => named(table(name), (row) => letter + row.code)

const codes = {
  categories: [
    ...named(table('category.csv')),
    // Kinds that have a route of their own: hazards, agency of permits.
    ...named(table('grid_route.csv').filter(({ category }) => category.length > 1), (row) => row.category),
    ...lettered('A', 'dispute_category.csv'),
    ...lettered('C', 'city_component.csv'),
    ...lettered('D', 'city_event.csv'),
  ],
  departments: named(table('department.csv')),
  sources: named(table('event_source.csv')),
  disputes: table('dispute_category.csv').map(({ code, zh, en, mediable }) => ({ code, zh, en, mediable })),
  partyTypes: named(table('party_type.csv')),
  methods: named(table('mediation_method.csv')),
  results: table('mediation_result.csv').map(({ code, zh, en, final }) => ({ code, zh, en, final })),
  scales: named(table('dispute_scale.csv')),
  idTypes: named(table('id_doc_type.csv')),
  purposes: table('purpose_code.csv').map(({ code, zh, en, allowed_sensitivity: shows }) => ({ code, zh, en, shows })),
  sexes: named(table('sex.csv')),
  residentTypes: named(table('resident_type.csv')),
  relations: named(table('household_relation.csv')),
  matchFlags: named(table('household_match_flag.csv')),
  matchRules: table('match_rule.csv').map(({ code, zh, result_use: use, prohibited_use: never }) => ({ code, zh, en: zh, use, never })),
  dataRights: table('dsr_type.csv').map(({ code, zh, en, law, default_days: days }) => ({ code, zh, en, law, days })),
  careCategories: table('care_category.csv').map(({ code, zh, en, sensitivity, consent, cadence_days: days }) => ({ code, zh, en, sensitivity, consent, days })),
  visitRules: table('visit_rule.csv').map(({ code, kind, zh, target }) => ({ code, zh, en: zh, kind, target })),
  lifeEventRules: table('life_event_rule.csv').map(({ code, zh, en, consent, subject, fields, assignee_role: role }) => ({ code, zh, en, consent, subject, role, fields: fields.split(';') })),
  auditEvents: named(table('audit_event.csv')),
  retention: retentionRules(),
  roles: named(table('grid_role.csv')),
}

const target = join(web, 'src', 'generated', 'codes.json')
mkdirSync(dirname(target), { recursive: true })
writeFileSync(target, `${JSON.stringify(codes)}\n`)
console.log(`codes.json: ${Object.entries(codes).map(([name, rows]) => `${rows.length} ${name}`).join(', ')}`)
