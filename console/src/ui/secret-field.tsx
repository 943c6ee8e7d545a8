/** A text that goes in and never comes out: what is stored stays unless something is typed over it. */
import { useState } from 'preact/hooks'
import { MASK } from '../../../src/domain/subscription.ts'
import { useWords, words } from '../language.ts'
import { AreaField, TextField } from './form.tsx'

const WORDS = words({
  stored: {
    en: 'Stored. It stays as it is unless something is typed here.',
    ru: 'Сохранено. Останется прежним, если ничего не ввести.',
    uk: 'Збережено. Залишиться незмінним, якщо нічого не вводити.',
  },
})

type SecretProps = {
  readonly label: string
  readonly help?: string
  readonly value: string
  readonly onInput: (value: string) => void
  readonly wrong?: string | undefined
  readonly kind?: 'line' | 'area'
}

export function SecretField({ label, help, value, onInput, wrong, kind = 'line' }: SecretProps) {
  const say = useWords(WORDS)
  const [isStored] = useState(value === MASK)
  const own = value === MASK ? '' : value
  const said = isStored && own === '' ? say('stored') : help
  const props = {
    label,
    wrong,
    value: own,
    // A mask to type into would become part of the secret.
    onInput: (text: string) => onInput(text === '' && isStored ? MASK : text),
    ...(isStored ? { placeholder: MASK } : {}),
    ...(said === undefined ? {} : { help: said }),
  }
  return kind === 'area' ? <AreaField {...props} /> : <TextField {...props} type="password" />
}
