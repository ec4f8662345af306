/** What people read, in Chinese. Both languages stand side by side in `topics/` and in the `words.ts` of larger parts. */
import { zh as audit } from '@/audit/words'
import { zh as collection } from '@/collection/words'
import { zh as committee } from '@/committee/words'
import { zh as dispute } from '@/dispute/words'
import { zh as people } from '@/people/words'
import { zh as question } from '@/question/words'
import { zh as job } from '@/job/words'
import { zh as merging } from '@/merging/words'
import { zh as rights } from '@/rights/words'
import { zh as care } from '@/care/words'
import { zh as elder } from '@/elder/words'
import { zh as lifeEvent } from '@/event/words'
import { zh as supervision } from '@/supervision/words'
import { zh as shell } from './topics/shell'
import { zh as board } from './topics/board'
import { zh as list } from './topics/list'
import { zh as states } from './topics/states'
import { zh as caseWords } from './topics/case'
import { zh as action } from './topics/action'
import { zh as report } from './topics/report'
import { zh as ledger } from './topics/ledger'
import { zh as notice } from './topics/notice'
import { zh as reason } from './topics/reason'

export default {
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
