/** What most people need of a subscription: its name, what it is about, where it goes. And which changes exactly. */
import {
  APPLICATION_EVENT,
  BUILT_IN_EVENTS,
  changeEventNames,
  DEGRADED_EVENT,
  isChangeEvent,
  NOTIFICATION_EVENTS,
  OPERATIONAL_EVENTS,
} from '../../../src/domain/change.ts'
import { ApiProblem } from '../api.ts'
import { useWords, words } from '../language.ts'
import { CatalogPick } from '../ui/catalog-pick.tsx'
import type { CatalogField } from '../ui/condition-value.tsx'
import { Conditions } from '../ui/conditions.tsx'
import { EndpointUrl } from '../ui/endpoint.tsx'
import { Check, Checks, ListField, SelectField, TextField, wrongAt } from '../ui/form.tsx'
import { Group } from '../ui/group.tsx'
import { type EventType, useEventText, useEventTypes } from './subscriptions-common.tsx'
import type { FormProps } from './subscriptions-draft.ts'

export const BASIC_WORDS = words({
  name: { en: 'Name', ru: 'Название', uk: 'Назва' },
  nameHelp: {
    en: 'Shown beside its verdicts, also to whoever edits a record.',
    ru: 'Видно рядом с вердиктами, в том числе тому, кто меняет запись.',
    uk: 'Видно поруч із вердиктами, зокрема тому, хто змінює запис.',
  },
  mode: { en: 'What its answer does', ru: 'Что значит её ответ', uk: 'Що означає її відповідь' },
  enforce: {
    en: 'it counts: a deny refuses the change',
    ru: 'действует: отказ отклоняет изменение',
    uk: 'діє: відмова відхиляє зміну',
  },
  shadow: {
    en: 'shadow: asked and logged, never counted',
    ru: 'в тени: спросить и записать в журнал, но не учитывать',
    uk: 'у тіні: спитати й записати в журнал, але не враховувати',
  },
  modeHelp: {
    en: 'Start in shadow to see what would be refused, then let it count.',
    ru: 'Начните в тени: станет видно, что было бы отклонено, — и лишь затем включайте.',
    uk: 'Почніть у тіні: стане видно, що було б відхилено, — і лише тоді вмикайте.',
  },
  active: { en: 'Active from the start', ru: 'Сразу активна', uk: 'Одразу активна' },
  asked: { en: 'Asked before', ru: 'Спросить до', uk: 'Спитати до' },
  askedHelp: {
    en: 'It may refuse the change, or ask for a confirmation.',
    ru: 'Может отклонить изменение или попросить подтверждения.',
    uk: 'Може відхилити зміну або попросити підтвердження.',
  },
  told: { en: 'Told after', ru: 'Уведомить после', uk: 'Сповістити після' },
  toldHelp: {
    en: 'A notification of what was written. It is repeated until it arrives.',
    ru: 'Уведомление о том, что записано; повторяется, пока не дойдёт.',
    uk: 'Сповіщення про те, що записано; повторюється, доки не дійде.',
  },
  own: { en: 'Business events', ru: 'Бизнес-события', uk: 'Бізнес-події' },
  ownHelp: {
    en: 'Event types of this account.',
    ru: 'Типы событий этого аккаунта.',
    uk: 'Типи подій цього акаунта.',
  },
  operations: { en: 'Operation', ru: 'Эксплуатация', uk: 'Експлуатація' },
  operationsHelp: {
    en: 'How the gateway and its subscriptions are doing.',
    ru: 'О работе самого шлюза и его подписок.',
    uk: 'Про роботу самого шлюзу та його підписок.',
  },
  posterCannot: {
    en: 'The dialect poster is only told, never asked: choose nothing under “Asked before”.',
    ru: 'Диалект poster только уведомляют: в разделе «Спросить до» не выбирайте ничего.',
    uk: 'Діалект poster лише сповіщають: у розділі «Спитати до» нічого не вибирайте.',
  },
  which: { en: 'Which changes', ru: 'Какие изменения', uk: 'Які зміни' },
  watched: { en: 'Watched fields', ru: 'Отслеживаемые поля', uk: 'Відстежувані поля' },
  watchedHelp: {
    en: 'Only changes of one of these count; none chosen: of any field.',
    ru: 'Учитываются только изменения этих полей; не выбрано ничего — любых.',
    uk: 'Враховуються лише зміни цих полів; якщо нічого не вибрано — будь-яких.',
  },
  commas: {
    en: 'Ids separated by commas.',
    ru: 'Идентификаторы через запятую.',
    uk: 'Ідентифікатори через кому.',
  },
  initiators: {
    en: 'Only changes by',
    ru: 'Только изменения, сделанные',
    uk: 'Лише зміни, зроблені',
  },
  initiatorsHelp: {
    en: 'User ids separated by commas; empty: by anyone.',
    ru: 'Идентификаторы пользователей через запятую; пусто — кем угодно.',
    uk: 'Ідентифікатори користувачів через кому; порожньо — будь-ким.',
  },
})

/** What is said of a member, or of something in it. */
export function wrongUnder(error: unknown, pointer: string): string | undefined {
  if (!(error instanceof ApiProblem)) return undefined
  const own = error.complaints.find(
    (one) => one.pointer === pointer || one.pointer.startsWith(`${pointer}/`),
  )
  return own?.message
}

export function Basics({ value, onChange, error, isNew }: FormProps & { isNew: boolean }) {
  const say = useWords(BASIC_WORDS)
  return (
    <>
      <TextField
        label={say('name')}
        help={say('nameHelp')}
        value={value.name}
        onInput={(name) => onChange({ ...value, name })}
        wrong={wrongAt(error, '/name')}
      />
      <CatalogPick
        value={value.catalogId}
        onInput={(catalogId) => onChange({ ...value, catalogId })}
        wrong={wrongAt(error, '/catalogId')}
      />
      <Events value={value} onChange={onChange} error={error} />
      <EndpointUrl
        value={value}
        onChange={(next) => onChange({ ...value, ...next })}
        error={error}
        base=""
      />
      <SelectField
        label={say('mode')}
        help={say('modeHelp')}
        value={value.mode}
        choices={MODES.map((one) => ({ value: one, label: say(one) }))}
        onChange={(mode) => onChange({ ...value, mode })}
        wrong={wrongAt(error, '/mode')}
      />
      {isNew ? (
        <Check
          label={say('active')}
          checked={value.active}
          onChange={(active) => onChange({ ...value, active })}
        />
      ) : null}
    </>
  )
}

const MODES = ['enforce', 'shadow'] as const

const OPERATIONS = [...OPERATIONAL_EVENTS, DEGRADED_EVENT, APPLICATION_EVENT] as const

function Events({ value, onChange, error }: FormProps) {
  const say = useWords(BASIC_WORDS)
  const types = useEventTypes()
  const textOf = useEventText(types)
  const wrong = wrongUnder(error, '/events')
  const set = (events: readonly string[]) => onChange({ ...value, events })
  const group = (name: EventGroup, names: readonly string[]) => (
    <fieldset>
      <legend>{say(name)}</legend>
      <span class="soft small">{say(`${name}Help`)}</span>
      <div class="columns" style={{ gap: '0.5rem' }}>
        {names.map((one) => (
          <Check
            key={one}
            label={labelOf(one, textOf(one))}
            checked={value.events.includes(one)}
            onChange={(checked) => set(withOrWithout(value.events, one, checked))}
          />
        ))}
      </div>
    </fieldset>
  )
  const own = ownNames(types, value.events)
  const isRefused = value.dialect === 'poster' && value.events.some(isChangeEvent)
  return (
    <>
      {wrong === undefined ? null : (
        <p class="note bad" role="alert">
          {wrong}
        </p>
      )}
      {isRefused ? <p class="note warn">{say('posterCannot')}</p> : null}
      {group('asked', changeEventNames)}
      {group('told', NOTIFICATION_EVENTS)}
      {own.length === 0 ? null : group('own', own)}
      {group('operations', OPERATIONS)}
    </>
  )
}

type EventGroup = 'asked' | 'told' | 'operations' | 'own'

function withOrWithout(all: readonly string[], one: string, isIn: boolean): readonly string[] {
  return isIn ? [...all, one] : all.filter((other) => other !== one)
}

const labelOf = (name: string, text: string): string => (name === text ? name : `${text} (${name})`)

/** Those of the account, and those that are listed although they are gone. */
function ownNames(types: readonly EventType[], chosen: readonly string[]): readonly string[] {
  const listed = chosen.filter((name) => BUILT_IN_EVENTS.every((one) => one !== name))
  return [...new Set([...types.map(({ name }) => name), ...listed])]
}

type WithFields = FormProps & { readonly fields: readonly CatalogField[] }

export function WhichGroup({ value, onChange, error, fields }: WithFields) {
  const say = useWords(BASIC_WORDS)
  return (
    <Group title={say('which')} error={error} holds={['/fields', '/initiators', '/conditions']}>
      <FieldNames
        label={say('watched')}
        help={say('watchedHelp')}
        fields={fields}
        value={value.fields}
        onChange={(chosen) => onChange({ ...value, fields: chosen })}
        wrong={wrongUnder(error, '/fields')}
      />
      <ListField
        label={say('initiators')}
        help={say('initiatorsHelp')}
        value={value.initiators}
        onInput={(initiators) => onChange({ ...value, initiators })}
        wrong={wrongUnder(error, '/initiators')}
      />
      <Conditions
        value={value.conditions}
        onChange={(conditions) => onChange({ ...value, conditions })}
        error={error}
        base="/conditions"
        fields={fields}
      />
    </Group>
  )
}

type FieldNamesProps = {
  readonly label: string
  readonly help: string
  readonly fields: readonly CatalogField[]
  readonly value: readonly string[]
  readonly onChange: (value: readonly string[]) => void
  readonly wrong: string | undefined
}

const CHECKS_MAX = 40

/** Some fields of the catalog; by their ids where it has none, or too many to be looked through. */
export function FieldNames({ label, help, fields, value, onChange, wrong }: FieldNamesProps) {
  const say = useWords(BASIC_WORDS)
  if (fields.length === 0 || fields.length > CHECKS_MAX) {
    return (
      <ListField
        label={label}
        help={`${help} ${say('commas')}`}
        value={value}
        onInput={onChange}
        wrong={wrong}
      />
    )
  }
  const unknown = value.filter((id) => fields.every((one) => one.id !== id))
  const choices = [
    ...fields.map(({ id, title }) => ({ value: id, label: title })),
    ...unknown.map((id) => ({ value: id, label: id })),
  ]
  return (
    <>
      <Checks legend={label} help={help} choices={choices} chosen={value} onChange={onChange} />
      {wrong === undefined ? null : (
        <p class="note bad" role="alert">
          {wrong}
        </p>
      )}
    </>
  )
}
