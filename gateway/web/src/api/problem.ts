/** What went wrong, as the gateway says it: RFC 9457 `application/problem+json` with our `reason` and field errors. */

export interface FieldError {
  field: string
  message: string
}

export interface ProblemBody {
  title?: string
  detail?: string
  reason?: string
  errors?: FieldError[]
  request_id?: string
  trace_id?: string
  metadata?: Record<string, string>
}

/** A refused or failed call. `status` 0 means that no answer came at all. */
export class Problem extends Error {
  readonly status: number
  readonly reason: string
  readonly errors: FieldError[]
  readonly requestId: string
  readonly traceId: string
  /** Further facts, by name: at which character a filter is wrong, who has a number already. */
  readonly metadata: Record<string, string>

  constructor(status: number, body: ProblemBody = {}) {
    super(body.detail || body.title || `HTTP ${status}`)
    this.status = status
    this.reason = body.reason ?? (status === 0 ? 'NETWORK' : '')
    this.errors = (body.errors ?? []).map(({ field, message }) => ({ field: camelPath(field), message }))
    this.requestId = body.request_id ?? ''
    this.traceId = body.trace_id ?? ''
    this.metadata = body.metadata ?? {}
  }

  /** The same problem under another status and reason. */
  as(status: number, reason: string): Problem {
    return new Problem(status, { detail: this.message, reason, errors: this.errors, request_id: this.requestId, trace_id: this.traceId, metadata: this.metadata })
  }
}

/** `tasks[0].unified_reply` → `tasks[0].unifiedReply`: the pages name fields as the JSON does. */
function camelPath(path: string): string {
  return path.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** Reads the problem out of a response that is not OK; a body that is none (a proxy's page) keeps the status only. */
export async function problemOf(response: Response): Promise<Problem> {
  try {
    return new Problem(response.status, (await response.json()) as ProblemBody)
  } catch {
    return new Problem(response.status, { title: response.statusText })
  }
}
