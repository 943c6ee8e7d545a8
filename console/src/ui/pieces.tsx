/** The small pieces that pages are made of. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { ApiProblem } from '../api.ts'
import { language, useWords, words } from '../language.ts'
import type { Loaded } from '../load.ts'

const WORDS = words({
  loading: { en: 'Loading…', ru: 'Загрузка…', uk: 'Завантаження…' },
  again: { en: 'Try again', ru: 'Ещё раз', uk: 'Ще раз' },
  unreachable: {
    en: 'The gateway does not answer.',
    ru: 'Шлюз не отвечает.',
    uk: 'Шлюз не відповідає.',
  },
  broken: { en: 'Something went wrong.', ru: 'Что-то пошло не так.', uk: 'Щось пішло не так.' },
  copy: { en: 'Copy', ru: 'Скопировать', uk: 'Скопіювати' },
  copied: { en: 'Copied', ru: 'Скопировано', uk: 'Скопійовано' },
  more: { en: 'Show more', ru: 'Показать ещё', uk: 'Показати ще' },
})

export type Tone = 'good' | 'bad' | 'warn' | 'none'

export function Badge({ tone = 'none', children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={tone === 'none' ? 'badge' : `badge ${tone}`}>{children}</span>
}

type ButtonProps = {
  readonly kind?: 'primary' | 'danger' | 'plain' | 'usual'
  readonly type?: 'button' | 'submit'
  readonly onClick?: (() => void) | undefined
  readonly disabled?: boolean | undefined
  readonly label?: string | undefined
  readonly children: ComponentChildren
}

export function Button({ kind = 'usual', type = 'button', label, children, ...rest }: ButtonProps) {
  const look = kind === 'usual' ? 'button' : `button ${kind}`
  return (
    <button type={type} class={look} aria-label={label} {...rest}>
      {children}
    </button>
  )
}

export function Head({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="head">
      <h1>{title}</h1>
      <div class="row">{children}</div>
    </div>
  )
}

export function Card({
  title,
  children,
}: {
  title?: ComponentChildren
  children: ComponentChildren
}) {
  return (
    <section class="card">
      {title === undefined ? null : <h2>{title}</h2>}
      {children}
    </section>
  )
}

/** What to do next, where there is nothing yet. */
export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  )
}

/** What an error says to a person. */
export function useProblemText(): (error: unknown) => string {
  const say = useWords(WORDS)
  return (error) => {
    if (!(error instanceof ApiProblem)) return say('broken')
    return error.status === 0 ? say('unreachable') : error.message
  }
}

export function ErrorNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const say = useWords(WORDS)
  const text = useProblemText()(error)
  const complaints = error instanceof ApiProblem ? error.complaints : []
  return (
    <div class="note bad" role="alert">
      <p>{text}</p>
      {complaints.length === 0 ? null : (
        <ul>
          {complaints.map(({ pointer, message }) => (
            <li key={pointer + message}>
              <code>{pointer}</code> {message}
            </li>
          ))}
        </ul>
      )}
      {onRetry === undefined ? null : <Button onClick={onRetry}>{say('again')}</Button>}
    </div>
  )
}

/** What was read, or why it was not. What was read before stays while it is read again. */
export function Show<T>({
  loaded,
  children,
}: {
  loaded: Loaded<T>
  children: (data: T) => ComponentChildren
}) {
  const say = useWords(WORDS)
  const { data, error, reload } = loaded
  return (
    <>
      {error === undefined ? null : <ErrorNote error={error} onRetry={reload} />}
      {data === undefined ? (
        error === undefined ? (
          <p role="status">{say('loading')}</p>
        ) : null
      ) : (
        children(data)
      )}
    </>
  )
}

export function More({ onClick }: { onClick: () => void }) {
  const say = useWords(WORDS)
  return (
    <div class="row">
      <Button onClick={onClick}>{say('more')}</Button>
    </div>
  )
}

/** A text to take away: a secret that is shown once, a key, a command. */
export function CopyBox({ text, label }: { text: string; label: string }) {
  const say = useWords(WORDS)
  const [isCopied, setCopied] = useState(false)
  const copy = () => {
    void navigator.clipboard.writeText(text).then(() => setCopied(true))
  }
  return (
    <div class="row">
      <pre class="note" aria-label={label}>
        {text}
      </pre>
      <Button onClick={copy}>{isCopied ? say('copied') : say('copy')}</Button>
      <span role="status" class="visually-hidden">
        {isCopied ? say('copied') : ''}
      </span>
    </div>
  )
}

/** A moment as people of this language write it; the exact one on hover. */
export function Time({ at }: { at: string | null | undefined }) {
  if (at === null || at === undefined) return <span class="soft">–</span>
  const date = new Date(at)
  const isToday = date.toDateString() === new Date().toDateString()
  const form: Intl.DateTimeFormatOptions = isToday
    ? { timeStyle: 'medium' }
    : { dateStyle: 'medium', timeStyle: 'short' }
  return (
    <time dateTime={at} title={at}>
      {new Intl.DateTimeFormat(language(), form).format(date)}
    </time>
  )
}

/** Milliseconds for people: `0.4 ms`, `85 ms`, `2.4 s`. */
export function duration(ms: number): string {
  const own = language()
  const unit = (
    value: number,
    name: 'millisecond' | 'second' | 'minute' | 'hour',
    digits: number,
  ) =>
    new Intl.NumberFormat(own, {
      style: 'unit',
      unit: name,
      unitDisplay: 'short',
      maximumFractionDigits: digits,
    }).format(value)
  if (ms < 1_000) return unit(ms, 'millisecond', ms < 10 ? 1 : 0)
  if (ms < 120_000) return unit(ms / 1_000, 'second', 1)
  return ms < 7_200_000 ? unit(ms / 60_000, 'minute', 0) : unit(ms / 3_600_000, 'hour', 1)
}

export function share(part: number, whole: number): string {
  return new Intl.NumberFormat(language(), { style: 'percent', maximumFractionDigits: 1 }).format(
    whole === 0 ? 0 : part / whole,
  )
}

/** JSON to be read, not run: text in an element. */
export function Json({ value, label }: { value: unknown; label?: string }) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  return (
    // biome-ignore lint: it scrolls, so it has to be reachable by keyboard
    <pre tabIndex={0} aria-label={label} role={label === undefined ? undefined : 'region'}>
      {text}
    </pre>
  )
}
