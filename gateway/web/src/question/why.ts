/** Why a filter cannot be read, in the language of the page: the service's sentences, by their pattern. Pure. */

/** Key of `question.why`, pattern of the sentence; named groups go into the words. */
const SAID: readonly (readonly [key: string, pattern: RegExp])[] = [
  ['noField', /^there is no field '(?<name>.*?)'/],
  ['compared', /^(?<name>\w+) can be compared by (?<list>.+)$/],
  ['notCode', /^'(?<name>.*)' is not a code of (?<list>\w+)$/],
  ['range', /^(?<name>\w+) lies between (?<low>-?\d+) and (?<high>-?\d+)$/],
  ['day', /^(?<name>\w+) is a day/],
  ['number', /^(?<name>\w+) is a whole number$/],
  ['flag', /^(?<name>\w+) is true or false$/],
  ['digits', /^(?<name>\w+) has 2 to 17 digits$/],
  ['areaHas', /^people belong to communities/],
  ['field', /^a field (is expected|is missing)/],
  ['comparator', /^(one of .* is expected$|what is '.*' to be compared with)/],
  ['value', /^a value (is expected|is missing)/],
  ['bracket', /^a closing bracket is missing$/],
  ['closes', /closes nothing$/],
  ['meaning', /has no meaning here$/],
  ['tooMuch', /^(a filter has at most|brackets lie at most)/],
]

export const WHYS = SAID.map(([key]) => key)

/** Key and words of a sentence; null for one that is new to the page. */
export function whyOf(message: string): { key: string; named: Record<string, string> } | null {
  const why = message.replace(/^The filter cannot be read at character \d+: /, '').replace(/\.$/, '')
  for (const [key, pattern] of SAID) {
    const found = pattern.exec(why)
    if (found) return { key, named: { ...found.groups } }
  }
  return null
}
