/** What somebody who looks for records asks of one field. The store asks the same in SQL. */
import type { Values } from './values.ts'

export type RecordLink = { readonly catalogId: string; readonly recordId: string }

export type RecordFilter = { readonly field: string } & (
  | { readonly kind: 'contains'; readonly text: string }
  | { readonly kind: 'range'; readonly from: number | undefined; readonly to: number | undefined }
  | { readonly kind: 'oneOf'; readonly options: readonly string[] }
  | { readonly kind: 'linked'; readonly records: readonly RecordLink[] }
)

/** Whether a record's values fit. A value that the filter does not speak of does not. */
export function fitsFilter(values: Values, filter: RecordFilter): boolean {
  const value = Object.hasOwn(values, filter.field) ? values[filter.field] : undefined
  switch (filter.kind) {
    case 'contains':
      return contains(value, filter.text)
    case 'range':
      return (
        typeof value === 'number' &&
        value >= (filter.from ?? -Infinity) &&
        value <= (filter.to ?? Infinity)
      )
    case 'oneOf':
      return elementsOf(value).some((one) => {
        const text = textOf(memberOf(one, 'id') ?? one)
        return text !== undefined && filter.options.includes(text)
      })
    case 'linked':
      return elementsOf(value).some((one) =>
        filter.records.some(
          ({ catalogId, recordId }) =>
            textOf(memberOf(one, 'catalogId')) === catalogId &&
            textOf(memberOf(one, 'recordId')) === recordId,
        ),
      )
  }
}

/** Part of a text or of a contact; a number, true and false are found by the whole of them. */
function contains(value: unknown, text: string): boolean {
  if (typeof value === 'string') return value.includes(text)
  if (Array.isArray(value)) {
    return value.some((one) => textOf(memberOf(one, 'contact'))?.includes(text))
  }
  return textOf(value) === text
}

const elementsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Values)[name]
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}
