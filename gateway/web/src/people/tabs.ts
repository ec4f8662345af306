/** The pages of the population register, and who is offered which. */
import { mayCall, purposesFor } from '@/api/session'
import { routes, type Rpcs } from '@/generated/contract'

interface Tab {
  to: string
  /** Key of the catalogue. */
  label: string
  rpc: keyof Rpcs
}

const TABS: readonly Tab[] = [
  { to: '/people', label: 'people.title', rpc: 'ListResidents' },
  { to: '/people/figures', label: 'question.figures', rpc: 'GetPyramid' },
  { to: '/people/questions', label: 'question.title', rpc: 'CountPeople' },
  { to: '/people/around', label: 'question.around.title', rpc: 'CountAround' },
  { to: '/people/voters', label: 'question.voters.title', rpc: 'ExportVoterRoll' },
  { to: '/people/collection', label: 'collection.title', rpc: 'ListFieldChecks' },
  { to: '/people/events', label: 'lifeEvent.title', rpc: 'ListLifeEvents' },
  { to: '/people/jobs', label: 'job.title', rpc: 'ListJobs' },
  { to: '/people/duplicates', label: 'merging.title', rpc: 'ListMerges' },
  { to: '/people/rights', label: 'rights.title', rpc: 'ListDataRequests' },
  { to: '/my-data', label: 'rights.mine', rpc: 'ListMyAccesses' },
  { to: '/people/care', label: 'care.title', rpc: 'ListCareEntries' },
  { to: '/people/care/figures', label: 'care.figures.title', rpc: 'CountCare' },
  { to: '/people/welfare', label: 'care.welfare', rpc: 'ListWatches' },
  { to: '/people/elder', label: 'elder.title', rpc: 'ListProviders' },
  // Who may read what retention did: auditors, protection officers and stewards; the trail itself is for fewer.
  { to: '/people/audit', label: 'audit.title', rpc: 'ListRetentionRuns' },
]

/** Who may call an rpc only for stated purposes needs one of them, or the page would answer with a refusal. */
const mayOpen = (rpc: keyof Rpcs): boolean => mayCall(rpc) && (routes[rpc].purposes.length === 0 || purposesFor(rpc).length > 0)

/** What the caller may open, in order. */
export const openTabs = (): Tab[] => TABS.filter(({ rpc }) => mayOpen(rpc))
