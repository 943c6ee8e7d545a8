/** Filters of a list that live in its address. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { useWords, words } from '../language.ts'
import { SelectField, TextField } from '../ui/form.tsx'

const WORDS = words({
  any: { en: 'Any', ru: 'Все', uk: 'Усі' },
})

type ChooseProps = {
  readonly label: string
  readonly value: string
  readonly choices: readonly { readonly value: string; readonly label: string }[]
  readonly onChange: (value: string) => void
}

/** A shared address may name what is no more; it stays chosen, under its id. */
export function Choose({ value, choices, ...rest }: ChooseProps) {
  const say = useWords(WORDS)
  const isKnown = value === '' || choices.some((one) => one.value === value)
  const named = isKnown ? choices : [{ value, label: value }, ...choices]
  return (
    <SelectField {...rest} value={value} choices={[{ value: '', label: say('any') }, ...named]} />
  )
}

const SETTLED_MS = 400

type TypedProps = {
  readonly label: string
  readonly help?: string
  readonly value: string
  readonly onSettled: (value: string) => void
}

/** A filter that is typed: it takes effect when typing stops, not with each letter. */
export function Typed({ value, onSettled, ...rest }: TypedProps) {
  const [text, setText] = useState(value)
  const settle = useRef(onSettled)
  settle.current = onSettled
  const settled = useRef(value)
  useEffect(() => {
    // What was typed here comes back by the address; only what comes from elsewhere is put in.
    if (value !== settled.current) setText(value)
    settled.current = value
  }, [value])
  useEffect(() => {
    if (text.trim() === settled.current) return
    const timer = setTimeout(() => {
      settled.current = text.trim()
      settle.current(settled.current)
    }, SETTLED_MS)
    return () => clearTimeout(timer)
  }, [text])
  return <TextField {...rest} type="search" value={text} onInput={setText} />
}
