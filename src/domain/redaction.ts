/**
 * What is kept of a record's values once a change is decided. Validators are asked about, and the record holds, the
 * values themselves; the decision, which is kept for people who look into it later, holds what is left here.
 */
import type { Change } from './change.ts'
import { canonicalJson, type Values } from './values.ts'

/** `remove`: nothing; `hash`: whether two values are the same; `last4`: the end of a number or a text. */
export const REDACTIONS = ['remove', 'hash', 'last4'] as const
export type Redaction = (typeof REDACTIONS)[number]
/** By field. */
export type RedactionRules = Readonly<Record<string, Redaction>>

/** A keyed digest, so that nobody finds a short value by trying them all. */
export type Fingerprint = (text: string) => string

export function redactedChange(
  change: Change,
  rules: RedactionRules,
  fingerprint: Fingerprint,
): Change {
  const redact = (values: Values | undefined) =>
    values === undefined ? undefined : redacted(values, rules, fingerprint)
  return {
    ...change,
    values: redact(change.values),
    prevValues: redact(change.prevValues),
    allValues: redact(change.allValues),
  }
}

export function redacted(values: Values, rules: RedactionRules, fingerprint: Fingerprint): Values {
  return Object.fromEntries(
    Object.entries(values).flatMap(([field, value]) => {
      const rule = Object.hasOwn(rules, field) ? rules[field] : undefined
      if (rule === undefined || value === null) return [[field, value]]
      return rule === 'remove' ? [] : [[field, leftOf(value, rule, fingerprint)]]
    }),
  )
}

function leftOf(value: unknown, rule: 'hash' | 'last4', fingerprint: Fingerprint): string {
  return rule === 'hash' ? `hash:${fingerprint(canonicalJson(value))}` : endOf(value)
}

/** Of less than eight characters four would be too many. */
const ENDS_FROM_LENGTH = 8

function endOf(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') return '…'
  const characters = Array.from(String(value))
  return characters.length < ENDS_FROM_LENGTH ? '…' : `…${characters.slice(-4).join('')}`
}
