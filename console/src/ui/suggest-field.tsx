/** A text for which some values are suggested while one is free to write another. */
import { useId } from 'preact/hooks'
import { Field, type FieldProps } from './form.tsx'

type SuggestProps = FieldProps & {
  readonly value: string
  readonly onInput: (value: string) => void
  /** The values, and what each is called. */
  readonly known: readonly { readonly id: string; readonly title: string }[]
}

export function SuggestField({ value, onInput, known, ...field }: SuggestProps) {
  const list = useId()
  return (
    <Field {...field}>
      {(ties) => (
        <>
          <input
            {...ties}
            list={list}
            value={value}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => onInput(event.currentTarget.value)}
          />
          <datalist id={list}>
            {known.map(({ id, title }) => (
              <option key={id} value={id} label={title} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  )
}
