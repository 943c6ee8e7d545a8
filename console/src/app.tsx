/** The frame around every page: who is there, where one can go, in which language and light. */
import type { ComponentType } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiProblem, api, SESSION_PATH, whenSignedOut } from './api.ts'
import { LANGUAGE_NAMES, LANGUAGES, language, setLanguage, useWords, words } from './language.ts'
import { PAGES, type PageName } from './pages.ts'
import { href, type Route, useRoute } from './route.ts'
import { SignIn } from './sign-in.tsx'
import type { Who } from './types.ts'
import { Mark } from './ui/mark.tsx'
import { Button, ErrorNote } from './ui/pieces.tsx'
import { Toasts } from './ui/toast.tsx'

const WORDS = words({
  overview: { en: 'Overview', ru: 'Обзор', uk: 'Огляд' },
  decisions: { en: 'Decisions', ru: 'Решения', uk: 'Рішення' },
  records: { en: 'Records', ru: 'Записи', uk: 'Записи' },
  subscriptions: { en: 'Subscriptions', ru: 'Подписки', uk: 'Підписки' },
  deliveries: { en: 'Deliveries', ru: 'Доставки', uk: 'Доставки' },
  catalogs: { en: 'Catalogs', ru: 'Каталоги', uk: 'Каталоги' },
  events: { en: 'Event types', ru: 'Типы событий', uk: 'Типи подій' },
  actions: { en: 'Actions', ru: 'Действия', uk: 'Дії' },
  presets: { en: 'Presets', ru: 'Заготовки', uk: 'Заготовки' },
  apps: { en: 'Apps', ru: 'Приложения', uk: 'Застосунки' },
  keys: { en: 'Keys', ru: 'Ключи', uk: 'Ключі' },
  accounts: { en: 'Accounts', ru: 'Аккаунты', uk: 'Акаунти' },
  audit: { en: 'Audit', ru: 'Журнал', uk: 'Журнал' },
  start: { en: 'First steps', ru: 'Первые шаги', uk: 'Перші кроки' },
  menu: { en: 'Menu', ru: 'Меню', uk: 'Меню' },
  skip: { en: 'Skip to the page', ru: 'К содержимому', uk: 'До вмісту' },
  signOut: { en: 'Sign out', ru: 'Выйти', uk: 'Вийти' },
  language: { en: 'Language', ru: 'Язык', uk: 'Мова' },
  light: { en: 'Appearance', ru: 'Оформление', uk: 'Вигляд' },
  system: { en: 'As the system', ru: 'Как в системе', uk: 'Як у системі' },
  bright: { en: 'Light', ru: 'Светлое', uk: 'Світлий' },
  dark: { en: 'Dark', ru: 'Тёмное', uk: 'Темний' },
  account: { en: 'Account', ru: 'Аккаунт', uk: 'Акаунт' },
  nowhere: {
    en: 'There is no such page.',
    ru: 'Такой страницы нет.',
    uk: 'Такої сторінки немає.',
  },
})

export function App() {
  const [who, setWho] = useState<Who | null | undefined>(undefined)
  const [isExpired, setExpired] = useState(false)
  const [error, setError] = useState<unknown>(undefined)
  useEffect(() => {
    whenSignedOut(() => {
      setWho((before) => before ?? null)
      setExpired(true)
    })
    api.get<Who>(SESSION_PATH).then(setWho, (failure: unknown) => {
      if (!(failure instanceof ApiProblem) || failure.status !== 401) setError(failure)
    })
  }, [])
  const enter = (next: Who) => {
    setWho(next)
    setExpired(false)
  }
  if (error !== undefined) return <ErrorNote error={error} onRetry={() => location.reload()} />
  if (who === undefined) return null
  return (
    <>
      {who === null ? (
        <SignIn onSignedIn={enter} />
      ) : (
        <>
          {isExpired ? null : <Renewal />}
          <div inert={isExpired}>
            <Frame key={who.accountId} who={who} onLeft={() => setWho(null)} />
          </div>
          {isExpired ? <SignInAgain onSignedIn={enter} /> : null}
        </>
      )}
      <Toasts />
    </>
  )
}

const RENEW_EVERY_MS = 5 * 60_000
const SIGNS_OF_LIFE = ['pointerdown', 'keydown'] as const

/** A page that reads now and then does not keep the session going; somebody who works in it does. */
function Renewal() {
  useEffect(() => {
    let isActive = false
    const note = () => {
      isActive = true
    }
    const timer = setInterval(() => {
      if (isActive) api.get(SESSION_PATH).catch(() => {})
      isActive = false
    }, RENEW_EVERY_MS)
    for (const sign of SIGNS_OF_LIFE) addEventListener(sign, note, true)
    return () => {
      clearInterval(timer)
      for (const sign of SIGNS_OF_LIFE) removeEventListener(sign, note, true)
    }
  }, [])
  return null
}

/** Over the page, so that what was typed there is still there afterwards; over its dialogs, too. */
function SignInAgain({ onSignedIn }: { onSignedIn: (who: Who) => void }) {
  const place = useRef<HTMLDialogElement>(null)
  const open = () => place.current?.showModal()
  useEffect(open, [])
  return (
    <dialog ref={place} class="sign-in-again" aria-label="Assent" onClose={open}>
      <SignIn onSignedIn={onSignedIn} />
    </dialog>
  )
}

function Frame({ who, onLeft }: { who: Who; onLeft: () => void }) {
  const say = useWords(WORDS)
  const route = useRoute()
  const [isOpen, setOpen] = useState(false)
  const [first = 'overview'] = route.parts
  useEffect(() => setOpen(false), [route])
  useFocusOn(route.parts.join('/'))
  return (
    <div class="frame">
      <a class="skip" href="#page" onClick={focusPage}>
        {say('skip')}
      </a>
      <header class="side" data-open={isOpen ? '' : undefined}>
        <div class="side-top">
          <a class="brand" href={href('overview')}>
            <Mark /> Assent
          </a>
          <button
            type="button"
            class="button menu-button"
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            {say('menu')}
          </button>
        </div>
        <nav aria-label={say('menu')}>
          <ul>
            {NAVIGATION.map((name) => (
              <li key={name}>
                <a href={href(name)} aria-current={name === first ? 'page' : undefined}>
                  {say(name)}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <Foot who={who} onLeft={onLeft} />
      </header>
      <main class="page" id="page" tabIndex={-1}>
        <Place name={first} route={route} who={who} />
      </main>
    </div>
  )
}

/** Another page is where whoever uses the keyboard, or listens, goes on. */
function useFocusOn(path: string): void {
  const last = useRef(path)
  useEffect(() => {
    if (last.current !== path) document.getElementById('page')?.focus()
    last.current = path
  }, [path])
}

/** The fragment is the address of the page, so the browser cannot be left to do it. */
function focusPage(event: MouseEvent): void {
  event.preventDefault()
  document.getElementById('page')?.focus()
}

const NAVIGATION = [
  'overview',
  'decisions',
  'records',
  'subscriptions',
  'deliveries',
  'catalogs',
  'events',
  'actions',
  'presets',
  'apps',
  'keys',
  'accounts',
  'audit',
  'start',
] as const satisfies readonly PageName[]

export type PageProps = { readonly route: Route; readonly who: Who }

/** A page is fetched when somebody first goes there. */
function Place({ name, route, who }: PageProps & { name: string }) {
  const say = useWords(WORDS)
  const [known, setKnown] = useState<ReadonlyMap<string, ComponentType<PageProps>>>(new Map())
  const [error, setError] = useState<unknown>(undefined)
  const page = Object.hasOwn(PAGES, name) ? PAGES[name as PageName] : undefined
  useEffect(() => {
    if (page === undefined || known.has(name)) return
    const keep = (Page: ComponentType<PageProps>) =>
      setKnown((before) => new Map<string, ComponentType<PageProps>>(before).set(name, Page))
    page().then(({ Page }) => keep(Page), setError)
  }, [name, page, known])
  useEffect(() => {
    const title = NAVIGATION.find((one) => one === name)
    document.title = title === undefined ? 'Assent' : `${say(title)} · Assent`
  })
  if (page === undefined) return <h1>{say('nowhere')}</h1>
  if (error !== undefined) return <ErrorNote error={error} onRetry={() => location.reload()} />
  const Page = known.get(name)
  return Page === undefined ? null : <Page route={route} who={who} />
}

function Foot({ who, onLeft }: { who: Who; onLeft: () => void }) {
  const say = useWords(WORDS)
  const leave = () => {
    void api.delete(SESSION_PATH).finally(onLeft)
  }
  return (
    <div class="foot">
      <label>
        {say('language')}
        <select
          value={language()}
          onChange={({ currentTarget }) => {
            const chosen = LANGUAGES.find((one) => one === currentTarget.value)
            if (chosen !== undefined) setLanguage(chosen)
          }}
        >
          {LANGUAGES.map((one) => (
            <option key={one} value={one}>
              {LANGUAGE_NAMES[one]}
            </option>
          ))}
        </select>
      </label>
      <Appearance />
      <span>
        {say('account')}: <strong>{who.accountId}</strong>
      </span>
      <Button onClick={leave}>{say('signOut')}</Button>
      <span>{who.version}</span>
    </div>
  )
}

const STORED_LIGHT = 'assent.light'
const stored = localStorage.getItem(STORED_LIGHT)
if (stored !== null) document.documentElement.dataset['theme'] = stored

function Appearance() {
  const say = useWords(WORDS)
  const [chosen, setChosen] = useState(localStorage.getItem(STORED_LIGHT) ?? '')
  const choose = (next: string) => {
    setChosen(next)
    if (next === '') {
      localStorage.removeItem(STORED_LIGHT)
      delete document.documentElement.dataset['theme']
    } else {
      localStorage.setItem(STORED_LIGHT, next)
      document.documentElement.dataset['theme'] = next
    }
  }
  return (
    <label>
      {say('light')}
      <select value={chosen} onChange={({ currentTarget }) => choose(currentTarget.value)}>
        <option value="">{say('system')}</option>
        <option value="light">{say('bright')}</option>
        <option value="dark">{say('dark')}</option>
      </select>
    </label>
  )
}
