/**
 * English, Russian and Ukrainian. Each page has its own table of words, all three languages beside each other, so
 * that none can be forgotten: the type asks for every one of them.
 */
import { useEffect, useState } from 'preact/hooks'

export const LANGUAGES = ['en', 'ru', 'uk'] as const
export type Language = (typeof LANGUAGES)[number]
export const LANGUAGE_NAMES = { en: 'English', ru: 'Русский', uk: 'Українська' } as const

/** A text, or its forms by number (`count`): Russian and Ukrainian have three. */
type Text = string | Partial<Record<Intl.LDMLPluralRule, string>>
export type Words<Key extends string> = Readonly<Record<Key, Readonly<Record<Language, Text>>>>
export type Say<Key extends string> = (key: Key, values?: Values) => string
type Values = Readonly<Record<string, string | number>>

export function words<Key extends string>(table: Words<Key>): Words<Key> {
  return table
}

const STORED = 'assent.language'
const listeners = new Set<() => void>()
let current: Language = firstLanguage()
document.documentElement.lang = current

function firstLanguage(): Language {
  const wanted = [localStorage.getItem(STORED), ...navigator.languages]
  for (const one of wanted) {
    const found = LANGUAGES.find((language) => one?.toLowerCase().startsWith(language))
    if (found !== undefined) return found
  }
  return 'en'
}

export function language(): Language {
  return current
}

export function setLanguage(next: Language): void {
  current = next
  localStorage.setItem(STORED, next)
  document.documentElement.lang = next
  for (const tell of listeners) tell()
}

export function useLanguage(): Language {
  const [, setCount] = useState(0)
  useEffect(() => {
    const tell = () => setCount((count) => count + 1)
    listeners.add(tell)
    return () => void listeners.delete(tell)
  }, [])
  return current
}

/** The words of a page in the language of now; `{name}` stands for a value. */
export function useWords<Key extends string>(table: Words<Key>): Say<Key> {
  const own = useLanguage()
  return (key, values = {}) => say(table[key][own], own, values)
}

function say(text: Text, own: Language, values: Values): string {
  const { count } = values
  const form = typeof text === 'string' ? text : formOf(text, own, Number(count ?? 0))
  return form.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    return typeof value === 'number' ? value.toLocaleString(own) : (value ?? whole)
  })
}

function formOf(forms: Exclude<Text, string>, own: Language, count: number): string {
  return forms[new Intl.PluralRules(own).select(count)] ?? forms.other ?? ''
}
