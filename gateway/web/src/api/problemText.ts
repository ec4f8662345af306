/** The sentence a person reads for a problem: by reason if the catalogue knows it, else by kind with the server's own words. */
import { i18n } from '@/i18n'
import { Problem } from './problem'

export interface ProblemText {
  title: string
  detail: string
}

const BY_STATUS: Record<number, string> = {
  0: 'NETWORK', 400: 'INVALID', 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND', 409: 'CONFLICT',
  412: 'REFUSED', 413: 'TOO_LARGE', 422: 'INVALID', 429: 'TOO_MANY', 502: 'UNAVAILABLE', 503: 'UNAVAILABLE', 504: 'UNAVAILABLE',
}

export function problemText(problem: unknown): ProblemText {
  const { t, te } = i18n.global
  if (!(problem instanceof Problem)) return { title: t('problem.OTHER'), detail: String(problem) }
  const known = `reason.${problem.reason}`
  if (problem.reason && te(known)) return { title: t(known), detail: '' }
  const kind = BY_STATUS[problem.status] ?? 'OTHER'
  const title = t(`problem.${problem.reason === 'REVISION' ? 'CONFLICT' : kind}`)
  return { title, detail: problem.status === 0 ? '' : problem.message }
}
