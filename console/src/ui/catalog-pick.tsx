/** The id of a catalog: one of those that are there, or one that is to come. */
import { useWords, words } from '../language.ts'
import type { Catalog } from '../types.ts'
import { useAll } from './settings.tsx'
import { SuggestField } from './suggest-field.tsx'

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
  const { data = [] } = useAll<Catalog>('/v1/catalogs')
  return (
    <SuggestField
      label={say('catalog')}
      help={say('help')}
      wrong={wrong}
      value={value}
      onInput={onInput}
      known={data}
    />
  )
}
