/** The validator of the first steps, in ten lines. */
import type { Catalog } from '../types.ts'

export const VALIDATOR_URL = 'http://127.0.0.1:9000/'
export const VALIDATOR_FILE = 'validator.mjs'
const TOTAL_MAX = 1_000

/** What it looks at: a field that must not be empty and, where there is one, a number that must not be too high. */
export type Looks = { readonly title: string; readonly total: string | undefined }

/** A catalog without fields takes these names; another one must have a text. */
export function looksOf({ fields }: Catalog): Looks | undefined {
  if (fields.length === 0) return { title: 'title', total: 'total' }
  const title = named(fields, 'text', 'title')
  return title === undefined ? undefined : { title, total: named(fields, 'number', 'total') }
}

function named(fields: Catalog['fields'], type: 'text' | 'number', name: string) {
  const fitting = fields.filter((field) => field.type === type).map(({ id }) => id)
  return fitting.includes(name) ? name : fitting[0]
}

/** `values` holds what changes, `prevValues` the rest of the record. */
export function validatorText({ title, total }: Looks): string {
  const limit =
    total === undefined
      ? ''
      : `  if (record[${quoted(total)}] > ${TOTAL_MAX}) errors.push({ field: ${quoted(total)}, message: 'At most ${TOTAL_MAX}.' })\n`
  return `import { createServer } from 'node:http'
createServer(async (request, response) => {
  const { data } = JSON.parse(Buffer.concat(await request.toArray()))
  const record = { ...data.prevValues, ...data.values }
  const errors = []
  if (!record[${quoted(title)}]) errors.push({ field: ${quoted(title)}, message: 'Please give it a name.' })
${limit}  const decision = errors.length > 0 ? 'deny' : 'allow'
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ decision, errors }))
}).listen(9000, '127.0.0.1')
`
}

function quoted(name: string): string {
  return `'${name.replaceAll(/['\\]/g, '\\$&')}'`
}
