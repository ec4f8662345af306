// Writes src/generated/contract.ts from the protos: the types, routes, roles and text limits of every rpc the pages call.
// The gateway serves exactly what the protos declare (google.api.http), so a page that compiles calls what is there.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

const web = dirname(dirname(fileURLToPath(import.meta.url)))
const protos = join(process.env.BINGLIAN_ROOT ?? join(web, '..', '..'), 'proto')

/** What the pages call: proto file → service → rpcs (all of them when not listed). */
const CALLED = {
  'binglian/mediation/v1/case_service.proto': { CaseService: null },
  'binglian/mediation/v1/case_flow_service.proto': { CaseFlowService: null },
  'binglian/mediation/v1/cooperation_service.proto': { CooperationService: null },
  'binglian/mediation/v1/history_service.proto': { HistoryService: null },
  'binglian/mediation/v1/dispute_service.proto': { DisputeService: null },
  'binglian/mediation/v1/committee_service.proto': { CommitteeService: null },
  'binglian/mediation/v1/agreement_service.proto': { AgreementService: null },
  'binglian/mediation/v1/task_service.proto': { TaskService: null },
  'binglian/mediation/v1/notice_service.proto': { NoticeService: null, RosterService: null },
  'binglian/mediation/v1/supervision_service.proto': { SupervisionService: null },
  'binglian/mediation/v1/search_service.proto': { SearchService: null },
  'binglian/assessment/v1/assessment_service.proto': { AssessmentService: ['GetCaseLedger', 'GetComparison', 'ListCriticalMinutes', 'ExportLedgers'] },
  'binglian/mediation/v1/clock_service.proto': { ClockService: null },
  'binglian/population/v1/resident_service.proto': { ResidentService: null, HouseholdService: ['CreateHousehold', 'GetHouseholdMembers', 'SetHouseholdHead', 'MoveHousehold', 'ListHouseholds'] },
  'binglian/population/v1/register.proto': { RegisterService: null },
  'binglian/population/v1/question_service.proto': { QuestionService: null },
  'binglian/population/v1/collection_service.proto': {
    CollectionService: ['SubmitFields', 'GetFieldLedger', 'ListFieldChecks', 'CompleteFieldCheck', 'ListFieldConflicts', 'ResolveFieldConflict'],
  },
  'binglian/population/v1/job_service.proto': { JobService: null },
  'binglian/population/v1/merge.proto': { MergeService: null },
  'binglian/population/v1/data_rights_service.proto': { DataRightsService: null, MyDataService: null, DataAuditService: null },
  'binglian/population/v1/care.proto': { CareService: null },
  'binglian/population/v1/life_event.proto': { LifeEventService: ['ReportLifeEvent', 'GetLifeEvent', 'ListLifeEvents', 'CompleteLifeEvent', 'CancelLifeEvent', 'WithdrawLifeEvent'] },
  'binglian/population/v1/elder.proto': { ElderService: null },
  'binglian/population/v1/welfare.proto': { WelfareService: ['StartWatch', 'EndWatch', 'NoteAbsence', 'RaiseAlert', 'TakeStep', 'GetWatch', 'ListWatches'] },
  'binglian/housing/v1/house_service.proto': { BuildingService: ['GetBuilding', 'ListBuildings'], HouseService: ['GetHouse', 'ListHouses'] },
  'binglian/housing/v1/area_service.proto': { AreaService: ['GetArea', 'GetAreaTree'], LocationService: ['LocatePoint'] },
}
const SCALARS = {
  double: 'number', float: 'number', int32: 'number', uint32: 'number', sint32: 'number', fixed32: 'number', bool: 'boolean',
  string: 'string', bytes: 'string', int64: 'string', uint64: 'string', sint64: 'string', fixed64: 'string',
}
const WELL_KNOWN = {
  '.google.protobuf.Timestamp': 'string', '.google.protobuf.Duration': 'string', '.google.protobuf.FieldMask': 'string',
  '.google.protobuf.Struct': 'Record<string, unknown>', '.google.protobuf.Empty': 'Record<string, never>',
}

function load() {
  const root = new protobuf.Root()
  const folders = [protos, join(web, 'node_modules', 'protobufjs')]
  // Rules of other authors (google.api, buf.validate) are read as plain options: a file that is nowhere is skipped.
  root.resolvePath = (_, target) => folders.map((folder) => join(folder, target)).find(existsSync) ?? null
  return root.loadSync(Object.keys(CALLED), { alternateCommentMode: true, keepCase: false })
}

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase())
const option = (owner, name) => owner.parsedOptions?.flatMap((entry) => entry[`(${name})`] ?? []).at(0)
const options = (owner, name) => Object.assign({}, ...(owner.parsedOptions ?? []).map((entry) => entry[`(${name})`] ?? {}))
const doc = (comment, indent = '') => (comment ? `${indent}/** ${comment.replaceAll('*/', '* /').replaceAll('\n', ' ')} */\n` : '')
const pascal = (name) => name.split(/[_.]/).map((word) => word[0].toUpperCase() + word.slice(1)).join('')
/** Service of a full name: `.binglian.population.v1.Visit` → `Population`. */
const ownerOf = (fullName) => pascal(fullName.split('.').at(-3) ?? '')
const plainName = (type) => (type.parent instanceof protobuf.Type ? plainName(type.parent) : '') + type.name

/** Names as they were given away. Two services may use one name: the first keeps it, the others' begin with their service. */
const given = new Map()
function typeName(type) {
  const plain = plainName(type)
  const holder = given.get(plain) ?? given.set(plain, type.fullName).get(plain)
  return holder === type.fullName ? plain : ownerOf(packageEnd(type)) + plain
}

/** Full name of the outermost message or enum a type stands in. */
const packageEnd = (type) => (type.parent instanceof protobuf.Type ? packageEnd(type.parent) : type.fullName)

function fieldType(field, seen) {
  field.resolve()
  const known = field.resolvedType && WELL_KNOWN[field.resolvedType.fullName]
  const one = SCALARS[field.type] ?? known ?? (visit(field.resolvedType, seen), typeName(field.resolvedType))
  return field.map ? `Record<string, ${one}>` : field.repeated ? `${one}[]` : one
}

/** Emits a message or enum, and all it names, once. */
function visit(type, seen) {
  const name = typeName(type)
  const known = seen.get(name)
  if (known && known.of !== type.fullName) throw new Error(`${name} stands for ${known.of} and for ${type.fullName}`)
  if (known) return
  const entry = { of: type.fullName, text: '' }
  seen.set(name, entry)
  entry.text = type instanceof protobuf.Enum ? enumText(type, name) : messageText(type, name, seen)
}

function enumText(type, name) {
  const values = Object.keys(type.values).map((value) => `'${value}'`)
  return `${doc(type.comment)}export const ${name} = [${values.join(', ')}] as const\nexport type ${name} = (typeof ${name})[number]\n`
}

function messageText(type, name, seen) {
  const lines = type.fieldsArray.map((field) => `${doc(field.comment, '  ')}  ${field.name}?: ${fieldType(field, seen)}\n`)
  return `${doc(type.comment)}export interface ${name} {\n${lines.join('')}}\n`
}

function calledMethods(root) {
  return Object.entries(CALLED).flatMap(([file, services]) =>
    Object.entries(services).flatMap(([service, rpcs]) => {
      const found = root.lookupService(`${dirname(file).replaceAll('/', '.')}.${service}`)
      return found.methodsArray.filter((method) => !rpcs || rpcs.includes(method.name))
    }),
  )
}

function routeOf(method) {
  const http = option(method, 'google.api.http')
  if (!http) throw new Error(`${method.fullName} has no google.api.http route`)
  const verb = ['get', 'post', 'put', 'patch', 'delete'].find((name) => http[name])
  const access = options(method, 'binglian.options.v1.access')
  const lists = { roles: [access.roles ?? []].flat(), purposes: [access.purposes ?? []].flat() }
  return { method: verb.toUpperCase(), path: camelPath(http[verb]), body: camel(http.body ?? ''), ...lists }
}

const camelPath = (path) => path.replace(/\{([a-z0-9_]+)[^}]*\}/g, (_, name) => `{${camel(name)}}`)

function responseType(method, seen) {
  const unwrapped = option(method, 'google.api.http').response_body
  const response = method.resolvedResponseType
  return unwrapped ? fieldType(response.fields[camel(unwrapped)], seen) : (visit(response, seen), typeName(response))
}

/** Longest text of each string field of a request, so that forms count down instead of failing. */
function textLimits(request) {
  const limits = request.fieldsArray.map((field) => [field.name, options(field, 'buf.validate.field').string?.max_len])
  return Object.fromEntries(limits.filter(([, most]) => most))
}

/** Name of an rpc; one that another service has as well begins with its own: `CareRecordVisit`. */
const rpcName = (method, routes) => (method.name in routes ? method.parent.name.replace(/Service$/, '') : '') + method.name

function generate() {
  const root = load()
  const seen = new Map()
  const routes = {}
  const limits = {}
  const signatures = calledMethods(root).map((method) => {
    method.resolve()
    visit(method.resolvedRequestType, seen)
    const name = rpcName(method, routes)
    routes[name] = routeOf(method)
    limits[name] = textLimits(method.resolvedRequestType)
    return `  ${name}: { request: ${typeName(method.resolvedRequestType)}; response: ${responseType(method, seen)} }\n`
  })
  return [
    '// Written by scripts/contract.mjs from the protos. Do not edit.\n',
    ...Array.from(seen.values(), (entry) => entry.text),
    `export interface Rpcs {\n${signatures.join('')}}\n`,
    `export const routes: Record<keyof Rpcs, { method: string; path: string; body: string; roles: string[]; purposes: string[] }> = ${JSON.stringify(routes, null, 2)}\n`,
    `export const textLimits: Record<keyof Rpcs, Record<string, number>> = ${JSON.stringify(limits, null, 2)}\n`,
  ].join('\n')
}

const target = join(web, 'src', 'generated', 'contract.ts')
mkdirSync(dirname(target), { recursive: true })
writeFileSync(target, generate())
console.log(`contract.ts: ${target}`)
