/** What people read, in English. Both languages stand side by side in `topics/` and in the `words.ts` of larger parts. */
import { en as audit } from '@/audit/words'
import { en as collection } from '@/collection/words'
import { en as committee } from '@/committee/words'
import { en as dispute } from '@/dispute/words'
import { en as people } from '@/people/words'
import { en as question } from '@/question/words'
import { en as job } from '@/job/words'
import { en as merging } from '@/merging/words'
import { en as rights } from '@/rights/words'
import { en as care } from '@/care/words'
import { en as elder } from '@/elder/words'
import { en as lifeEvent } from '@/event/words'
import { en as supervision } from '@/supervision/words'
import { en as shell } from './topics/shell'
import { en as board } from './topics/board'
import { en as list } from './topics/list'
import { en as states } from './topics/states'
import { en as caseWords } from './topics/case'
import { en as action } from './topics/action'
import { en as report } from './topics/report'
import { en as ledger } from './topics/ledger'
import { en as notice } from './topics/notice'
import { en as reason } from './topics/reason'
import type zh from './zh'

const en: typeof zh = {
  ...shell,
  ...board,
  ...list,
  ...states,
  ...caseWords,
  ...action,
  ...report,
  ...ledger,
  ...notice,
  ...reason,
  audit,
  collection,
  committee,
  dispute,
  people,
  question,
  job,
  merging,
  rights,
  care,
  elder,
  lifeEvent,
  supervision,
}

export default en
