/** The pages of the population register, and who is offered which. */
import { mayCall } from '@/api/session'
import type { Rpcs } from '@/generated/contract'

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
  { to: '/people/collection', label: 'collection.title', rpc: 'ListFieldChecks' },
]

/** What the caller may open, in order. */
export const openTabs = (): Tab[] => TABS.filter(({ rpc }) => mayCall(rpc))
