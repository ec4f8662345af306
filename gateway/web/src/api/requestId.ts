/** Idempotency keys: the same form sent twice (a lost answer, an impatient tap) keeps its key, a changed form gets a new one. */

/** 128 random bits as hex. `crypto.randomUUID` is missing on plain http, where phones in the field may reach the gateway. */
export function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Gives one key per distinct body, for the life of one form. */
export function requestIds(): (body: unknown) => string {
  let last = ''
  let id = ''
  return (body) => {
    const text = JSON.stringify(body)
    if (text !== last) {
      last = text
      id = newRequestId()
    }
    return id
  }
}
