/** What the card of a record knows, and what happens to it as somebody types, is advised and saves. */
import { useState } from 'preact/hooks'
import type { ApproveResponse, StoredRecord } from '../types.ts'
import { type Asking, useAsking, type Wish } from './records-asking.ts'
import {
  afterSaving,
  changedOf,
  EMPTY_FORM,
  type Finding,
  type Form,
  isReadable,
  suggestedInto,
  suggesterOf,
  type Values,
  wholeOf,
} from './records-draft.ts'
import { EVERYBODY, type Manner, mannerOf } from './records-manner.tsx'
import { useTyping } from './records-typing.ts'

export type Base = { readonly values: Values; readonly version: number | undefined }

type Start = {
  readonly catalogId: string
  readonly record: StoredRecord | null
  /** Told of every answer that let the change through. */
  readonly onDone: (response: ApproveResponse, wish: Wish) => void
}

export type CardState = ReturnType<typeof useCard>

export function useCard({ catalogId, record, onDone }: Start) {
  const [base, setBase] = useState<Base>({
    values: record?.values ?? {},
    version: record?.version,
  })
  const [form, setForm] = useState<Form>(EMPTY_FORM)
  const [turn, setTurn] = useState(0)
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set())
  const [manner, setManner] = useState<Manner>(EVERYBODY)
  const asked = useAsking((response, wish) => {
    if (response.decision !== 'allow') return
    if (record !== null && response.record !== undefined) {
      setBase(response.record)
      setForm((now) => afterSaving(now, wish.values ?? {}))
    }
    onDone(response, wish)
  })
  const isAsking = asked.state.kind === 'asking'
  const changed = changedOf(base.values, form.drafts)
  const { user, context } = mannerOf(manner)
  const allValues = wholeOf(base.values, form.drafts)
  const question = { catalogId, recordId: record?.id, values: changed, allValues, user, context }
  const isOpen = !isAsking && isReadable(form.drafts)
  const typing = useTyping(turn, isOpen ? question : null, (response) => {
    const values = response.values ?? {}
    const by = (field: string) => suggesterOf(response, field)
    const inField = fieldInUse()
    setForm((now) => suggestedInto(now, { base: base.values, values, by, inField }))
  })
  const settle = (next: Base, nextForm: Form) => {
    setBase(next)
    setForm(nextForm)
    setTurn(0)
    typing.forget()
    asked.reset()
  }
  return {
    base,
    form,
    changed,
    manner,
    setManner,
    asking: asked.state,
    typingError: typing.heard.error,
    typed: typing.heard.findings,
    findings: shownOf(typing.heard.findings, asked.state, touched),
    /** The person did something to a field. */
    type: (field: string, next: Form) => {
      setForm(next)
      setTurn((before) => before + 1)
      setTouched((before) => new Set(before).add(field))
    },
    ask: (wish: Wish) => {
      setTurn(0)
      setTouched(new Set())
      typing.forget()
      asked.ask(wish)
    },
    reset: asked.reset,
    /** Begins anew with this version, or with this version under what was typed. */
    begin: (next: Base) => settle(next, EMPTY_FORM),
    rebase: (next: Base) => settle(next, form),
  }
}

function fieldInUse(): string | undefined {
  return document.activeElement?.closest<HTMLElement>('[data-field]')?.dataset['field']
}

/** What was said at saving stays at its field until somebody types there. */
function shownOf(
  typing: readonly Finding[],
  asking: Asking,
  touched: ReadonlySet<string>,
): readonly Finding[] {
  const response = asking.kind === 'answered' ? asking.response : undefined
  const saving =
    response === undefined || response.decision === 'allow'
      ? []
      : [...response.errors, ...response.warnings, ...response.infos]
  const kept = saving.filter(({ field }) => field !== undefined && !touched.has(field))
  const textOf = (one: Finding) => JSON.stringify([one.subscriptionId, one.field, one.message.text])
  const known = new Set(kept.map(textOf))
  return [...kept, ...typing.filter((one) => !known.has(textOf(one)))]
}
