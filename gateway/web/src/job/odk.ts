/** The collection forms, and how files of them are known when they come back. Pure. */

/** In the order in which they are shown. */
export const COLLECTION_FORMS = ['resident', 'household', 'collection', 'field_check', 'care_visit'] as const
export type CollectionForm = (typeof COLLECTION_FORMS)[number]

/** Questions that only one of the files an import takes has, beside the key ODK Central writes. */
const SIGNS: readonly { form: string; key: string; questions: readonly string[] }[] = [
  { form: 'household_members', key: 'PARENT_KEY', questions: ['household_relation', 'resident_id'] },
  { form: 'household', key: 'KEY', questions: ['area_code', 'match_flag'] },
  { form: 'resident', key: 'KEY', questions: ['area_code', 'name', 'id_doc_type'] },
]

/** The mapping of a file that is an export of one of our forms, '' for any other. */
export function mappingOfForm(header: readonly string[]): string {
  const found = SIGNS.find(({ key, questions }) => [key, ...questions].every((column) => header.includes(column)))
  return found ? `form: ${found.form}` : ''
}
