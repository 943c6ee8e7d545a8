/** What several parts of the record pages need. */
import { href } from '../route.ts'
import type { Who } from '../types.ts'

export function may({ scopes }: Who, scope: 'read' | 'approve' | 'manage'): boolean {
  return scopes.includes('admin') || scopes.includes(scope)
}

/** `new` is the form for a record that is to be, so a record of that name has another address. */
export function recordHref(catalogId: string, recordId: string): string {
  const address = href('records', catalogId, recordId)
  return recordId === 'new' ? `${address}?record` : address
}
