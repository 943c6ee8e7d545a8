/** What is shown this once: a secret, a token. */
import type { ComponentChildren } from 'preact'
import { useWords, words } from '../language.ts'
import { Card, CopyBox } from './pieces.tsx'

const WORDS = words({
  help: {
    en: 'It is shown this once. Copy it now and keep it in a safe place.',
    ru: 'Показывается только сейчас. Скопируйте и сохраните в надёжном месте.',
    uk: 'Показується лише зараз. Скопіюйте та збережіть у надійному місці.',
  },
  done: { en: 'Done', ru: 'Готово', uk: 'Готово' },
})

type ShownProps = {
  readonly title: string
  readonly text: string
  /** Where "Done" leads. */
  readonly back: string
  readonly children?: ComponentChildren
}

export function ShownOnce({ title, text, back, children }: ShownProps) {
  const say = useWords(WORDS)
  return (
    <Card title={title}>
      <p class="note warn" role="status">
        {say('help')}
      </p>
      <CopyBox text={text} label={title} />
      {children}
      <div class="row">
        <a class="button primary" href={back}>
          {say('done')}
        </a>
      </div>
    </Card>
  )
}
