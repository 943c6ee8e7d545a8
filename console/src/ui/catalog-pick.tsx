/** The id of a catalog: one of those that are there, or one that is to come. */
import { useId } from 'preact/hooks'
import { useWords, words } from '../language.ts'
import type { Catalog } from '../types.ts'
import { Field } from './form.tsx'
import { useAll } from './settings.tsx'

const WORDS = words({
  catalog: { en: 'Catalog', ru: 'Каталог', uk: 'Каталог' },
  help: {
    en: 'Its id; * is every catalog.',
    ru: 'Идентификатор; * — любой каталог.',
    uk: 'Ідентифікатор; * — будь-який каталог.',
  },
})

type PickProps = {
  readonly value: string
  readonly onInput: (id: string) => void
  readonly wrong?: string | undefined
}

export function CatalogPick({ value, onInput, wrong }: PickProps) {
  const say = useWords(WORDS)
  const list = useId()
  const { data = [] } = useAll<Catalog>('/v1/catalogs')
  return (
    <Field label={say('catalog')} help={say('help')} wrong={wrong}>
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
            {data.map(({ id, title }) => (
              <option key={id} value={id} label={title} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  )
}
