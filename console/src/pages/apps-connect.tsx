/** Connecting an app to this account. Its access token is shown once. */
import { useState } from 'preact/hooks'
import type { z } from 'zod'
import type { connectedView } from '../../../src/adapters/http/schemas/app.ts'
import type { AppScope } from '../../../src/app/app-store.ts'
import { api } from '../api.ts'
import { useWords, words } from '../language.ts'
import { href } from '../route.ts'
import { Checks, TextField, wrongAt } from '../ui/form.tsx'
import { Button, Card, ErrorNote } from '../ui/pieces.tsx'
import { ShownOnce } from '../ui/shown-once.tsx'

type Connected = z.output<typeof connectedView>

const WORDS = words({
  title: { en: 'Connect it', ru: 'Подключить', uk: 'Під’єднати' },
  user: { en: 'Your user id', ru: 'Ваш идентификатор', uk: 'Ваш ідентифікатор' },
  userHelp: {
    en: 'Who connects it; the app is told.',
    ru: 'Кто подключает; об этом сообщат приложению.',
    uk: 'Хто під’єднує; про це повідомлять застосунок.',
  },
  scopes: { en: 'What its token may do', ru: 'Что разрешить токену', uk: 'Що дозволити токену' },
  connect: { en: 'Connect', ru: 'Подключить', uk: 'Під’єднати' },
  token: { en: 'Access token', ru: 'Токен доступа', uk: 'Токен доступу' },
  next: { en: 'Go on to the app', ru: 'Перейти к приложению', uk: 'Перейти до застосунку' },
})

export function Connect({ appId, scopes }: { appId: string; scopes: readonly AppScope[] }) {
  const say = useWords(WORDS)
  const [userId, setUserId] = useState('')
  const [chosen, setChosen] = useState(scopes)
  const [error, setError] = useState<unknown>(undefined)
  const [connected, setConnected] = useState<Connected | undefined>(undefined)
  const connect = (event: SubmitEvent) => {
    event.preventDefault()
    setError(undefined)
    api
      .post<Connected>('/v1/installations', { appId, userId, scopes: chosen })
      .then(setConnected, setError)
  }
  if (connected !== undefined) {
    const { accessToken, redirect } = connected
    return (
      <ShownOnce title={say('token')} text={accessToken} back={href('apps')}>
        {redirect === undefined ? null : (
          <p>
            <a href={redirect} rel="noreferrer">
              {say('next')}
            </a>
          </p>
        )}
      </ShownOnce>
    )
  }
  return (
    <Card title={say('title')}>
      <form class="stack" onSubmit={connect}>
        {error === undefined ? null : <ErrorNote error={error} />}
        <TextField
          label={say('user')}
          help={say('userHelp')}
          wrong={wrongAt(error, '/userId')}
          value={userId}
          onInput={setUserId}
          required
        />
        {scopes.length === 0 ? null : (
          <Checks
            legend={say('scopes')}
            choices={scopes.map((value) => ({ value, label: value }))}
            chosen={chosen}
            onChange={setChosen}
          />
        )}
        <div class="row">
          <Button kind="primary" type="submit">
            {say('connect')}
          </Button>
        </div>
      </form>
    </Card>
  )
}
