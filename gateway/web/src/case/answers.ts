/** What actions answer with: those on a case with the case, those on a task of TaskService with that task alone. Pure. */
import type { Case, TaskView } from '@/generated/contract'

export type Answer = Case | TaskView

export const isOfTask = (answer: Answer): answer is TaskView => 'task' in answer

/** Whether a case is known as it was after the change an answer tells of, or later. */
export const isKnown = (item: Case, answer: Answer): boolean => BigInt(item.revision ?? '0') >= BigInt(answer.revision ?? '0')

/**
 * The case with the one task as it is now. Its revision stays: whatever else has changed meanwhile is not in the answer, so the
 * case is still the one of before to everybody who asks which of its states was seen.
 */
export function withTask(item: Case, { task, caseState }: TaskView): Case {
  const tasks = item.tasks?.map((known) => (known.taskId === task?.taskId ? task : known))
  return { ...item, state: caseState, tasks } as Case
}
