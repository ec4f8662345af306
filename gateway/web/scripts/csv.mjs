// Reads the code tables: RFC 4180 CSV with a header line, UTF-8.
import { readFileSync } from 'node:fs'

/** Splits one CSV text into rows of cells; quoted cells may hold commas, quotes ("") and line breaks. */
export function parseCells(text) {
  const rows = [[]]
  let cell = ''
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]
    if (quoted && char === '"' && text[at + 1] === '"') {
      cell += '"'
      at += 1
    } else if (char === '"') quoted = !quoted
    else if (!quoted && (char === ',' || char === '\n')) {
      rows.at(-1).push(cell)
      cell = ''
      if (char === '\n') rows.push([])
    } else if (char !== '\r') cell += char
  }
  rows.at(-1).push(cell)
  return rows.filter((row) => row.length > 1 || row[0] !== '')
}

/** Reads a CSV file as a list of objects keyed by its header. */
export function readTable(path) {
  const [header, ...rows] = parseCells(readFileSync(path, 'utf8').replace(/^\ufeff/, ''))
  return rows.map((row) => Object.fromEntries(header.map((name, at) => [name, row[at] ?? ''])))
}
