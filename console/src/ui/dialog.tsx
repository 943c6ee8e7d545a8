/** A window over the page: the browser's own dialog, which keeps the focus and closes with Escape. */
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { useWords, words } from '../language.ts'
import { Button, ErrorNote } from './pieces.tsx'

const WORDS = words({
  cancel: { en: 'Cancel', ru: 'Отмена', uk: 'Скасувати' },
  close: { en: 'Close', ru: 'Закрыть', uk: 'Закрити' },
})

type DialogProps = {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/** Open for as long as it is there. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const place = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const before = document.activeElement
    place.current?.showModal()
    return () => {
      // Behind the dialog nothing takes the focus until it is gone.
      queueMicrotask(() => {
        if (before instanceof HTMLElement && before.isConnected) before.focus()
      })
    }
  }, [])
  return (
    <dialog ref={place} aria-labelledby={id} onClose={onClose}>
      <div class="stack">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  )
}

export function CloseRow({ onClose }: { onClose: () => void }) {
  const say = useWords(WORDS)
  return (
    <div class="row end">
      <Button onClick={onClose}>{say('close')}</Button>
    </div>
  )
}

type ConfirmProps = DialogProps & {
  /** What the button says that does it. */
  readonly action: string
  readonly onConfirm: () => Promise<void>
}

/** Before what cannot be undone. It closes when it is done, and says why when it could not be. */
export function Confirm({ title, action, onConfirm, onClose, children }: ConfirmProps) {
  const say = useWords(WORDS)
  const [error, setError] = useState<unknown>(undefined)
  const [isBusy, setBusy] = useState(false)
  const confirm = () => {
    setBusy(true)
    onConfirm().then(onClose, (failure: unknown) => {
      setError(failure)
      setBusy(false)
    })
  }
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {error === undefined ? null : <ErrorNote error={error} />}
      <div class="row end">
        <Button onClick={onClose}>{say('cancel')}</Button>
        <Button kind="danger" onClick={confirm} disabled={isBusy}>
          {action}
        </Button>
      </div>
    </Dialog>
  )
}
