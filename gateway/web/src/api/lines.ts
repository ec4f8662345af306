/** Streams that are read once to their end, message by message: lists too long for pages. */
import { routes, type Rpcs } from '@/generated/contract'
import { headersOf, onRefused, urlOf } from './call'
import { Problem, problemOf, type ProblemBody } from './problem'

/** Cuts arriving text into whole lines; what is left of a line waits for the rest. */
export function lineCutter(): (text: string) => string[] {
  let rest = ''
  return (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    return lines.filter((line) => line.trim())
  }
}

interface Cursored {
  cursor?: string
}

/** Hands on the messages of one answer; gives the last cursor and how many there were. Throws `Problem`, also for one that came last. */
async function readOnce<T extends Cursored>(url: string, purpose: string, receive: (message: T) => void, signal: AbortSignal): Promise<{ cursor: string; messages: number }> {
  const response = await fetch(url, { headers: { ...headersOf({ purpose }), Accept: 'application/x-ndjson' }, signal }).catch((broken: unknown) => {
    throw signal.aborted ? broken : new Problem(0)
  })
  if (response.status === 401) onRefused()
  if (!response.ok) throw await problemOf(response)
  const [cut, reader, decoder] = [lineCutter(), response.body?.getReader(), new TextDecoder()]
  let [cursor, messages] = ['', 0]
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
    for (const line of cut(done ? '\n' : decoder.decode(value, { stream: true }))) {
      const message = JSON.parse(line) as T & { problem?: ProblemBody & { status?: number } }
      if (message.problem) throw new Problem(message.problem.status ?? 500, message.problem)
      receive(message)
      messages += 1
      cursor = message.cursor ?? cursor
    }
    if (done) return { cursor, messages }
  }
}

/** Names of rpcs that stream and go on behind a cursor. */
export type Resumable = 'ExportVoterRoll'

/**
 * Reads a stream to its real end: the gateway ends every answer after some minutes, so it is asked again behind the last cursor until nothing
 * more comes. `from`: the cursor to begin behind. Throws `Problem`; what was received stays received.
 */
export async function readAll<Name extends Resumable>(
  name: Name, request: Rpcs[Name]['request'], purpose: string, receive: (message: Rpcs[Name]['response']) => void, signal: AbortSignal,
): Promise<void> {
  if (routes[name].method !== 'GET') throw new Error(`${name} is not read by GET`)
  let cursor = request.cursor ?? ''
  for (;;) {
    const read = await readOnce(urlOf(name, { ...request, ...(cursor ? { cursor } : {}) }), purpose, receive, signal)
    if (!read.messages || !read.cursor || read.cursor === cursor) return
    cursor = read.cursor
  }
}
