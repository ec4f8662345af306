/** Pages some roles may not read: said before the page opens, for its filters and buttons would lead nowhere. */
import { mayCall } from '@/api/session'
import type { Rpcs } from '@/generated/contract'

/** What a page, by the name of its route, shows; it is closed to whom all of that is refused. Pages not named here are for all. */
const SHOWS: Readonly<Record<string, readonly (keyof Rpcs)[]>> = {
  inbox: ['FindTasks'],
  list: ['FindCases'],
  disputes: ['ListDisputes'],
  drafts: ['ListDrafts'],
  ledger: ['GetComparison'],
  report: ['ReportCase', 'DraftCase'],
  people: ['ListResidents'],
  figures: ['GetPyramid'],
  questions: ['CountPeople'],
  around: ['CountAround'],
  voters: ['ExportVoterRoll', 'CountPeople'],
  audit: ['ListRetentionRuns', 'ListAuditAlerts', 'ListDataAuditEntries'],
  collection: ['ListFieldChecks', 'ListFieldConflicts'],
  events: ['ListLifeEvents'],
  jobs: ['ListJobs'],
  duplicates: ['ListMerges', 'FindDuplicates'],
  rights: ['ListDataRequests'],
  'my-data': ['ListMyAccesses'],
  care: ['ListCareEntries', 'ListVisitPlans'],
  careFigures: ['CountCare'],
  welfare: ['ListWatches'],
  elder: ['ListProviders', 'ListElderOrders'],
}

/** Whether none of the caller's roles may read the page. */
export const isClosed = (page: string): boolean => !!SHOWS[page] && !SHOWS[page].some(mayCall)
