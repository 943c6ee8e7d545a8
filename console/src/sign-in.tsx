/** Before everything else: a key, which is sent once and not kept. */
import { useState } from 'preact/hooks'
import { api, SESSION_PATH } from './api.ts'
import { LANGUAGE_NAMES, LANGUAGES, language, setLanguage, useWords, words } from './language.ts'
import type { Who } from './types.ts'
import { TextField } from './ui/form.tsx'
import { Mark } from './ui/mark.tsx'
import { Button, ErrorNote } from './ui/pieces.tsx'

const WORDS = words({
  title: { en: 'Sign in to Assent', ru: 'Вход в Assent', uk: 'Вхід до Assent' },
  key: { en: 'API key', ru: 'Ключ API', uk: 'Ключ API' },
  help: {
    en: 'The admin key was printed at the first start. The key is sent once and not kept in this browser.',
    ru: 'Ключ администратора был показан при первом запуске. Ключ отправляется один раз и в браузере не хранится.',
    uk: 'Ключ адміністратора показано під час першого запуску. Ключ надсилається один раз і в браузері не зберігається.',
  },
  signIn: { en: 'Sign in', ru: 'Войти', uk: 'Увійти' },
  language: { en: 'Language', ru: 'Язык', uk: 'Мова' },
})

export function SignIn({ onSignedIn }: { onSignedIn: (who: Who) => void }) {
  const say = useWords(WORDS)
  const [key, setKey] = useState('')
  const [error, setError] = useState<unknown>(undefined)
  const signIn = (event: SubmitEvent) => {
    event.preventDefault()
    api.post<Who>(SESSION_PATH, { key: key.trim() }).then(onSignedIn, setError)
  }
  return (
    <main class="sign-in">
      <form class="card" onSubmit={signIn}>
        <div class="brand">
          <Mark /> Assent
        </div>
        <h1>{say('title')}</h1>
        {error === undefined ? null : <ErrorNote error={error} />}
        <TextField
          label={say('key')}
          help={say('help')}
          type="password"
          value={key}
          onInput={setKey}
          required
        />
        <Button kind="primary" type="submit">
          {say('signIn')}
        </Button>
        <div class="row" role="group" aria-label={say('language')}>
          {LANGUAGES.map((one) => (
            <Button
              key={one}
              kind="plain"
              onClick={() => setLanguage(one)}
              disabled={one === language()}
            >
              {LANGUAGE_NAMES[one]}
            </Button>
          ))}
        </div>
      </form>
    </main>
  )
}
