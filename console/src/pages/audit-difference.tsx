/** Two states of a setting, place by place: what it was, struck out, and what it is. */
import { useWords, words } from '../language.ts'

type Members = Readonly<Record<string, unknown>>

const WORDS = words({
  details: {
    en: { one: '{count} difference', other: '{count} differences' },
    ru: { one: '{count} отличие', few: '{count} отличия', other: '{count} отличий' },
    uk: { one: '{count} відмінність', few: '{count} відмінності', other: '{count} відмінностей' },
  },
  was: { en: 'was', ru: 'было', uk: 'було' },
  is: { en: 'is', ru: 'стало', uk: 'стало' },
})

/** More than these are shown when somebody wants to see them. */
const OPEN_MAX = 3

/** What is at each place of a setting; an empty list or object is a value of its own. */
function leavesOf(value: unknown, path = ''): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  const members = Object.entries(value)
  if (members.length === 0) return path === '' ? [] : [[path, value]]
  return members.flatMap(([name, member]) =>
    leavesOf(member, path === '' ? name : `${path}.${name}`),
  )
}

export function Difference({ before, after }: { before: Members | null; after: Members | null }) {
  const say = useWords(WORDS)
  const [was, is] = [new Map(leavesOf(before ?? {})), new Map(leavesOf(after ?? {}))]
  const paths = [...new Set([...was.keys(), ...is.keys()])].filter(
    (path) => textOf(was.get(path)) !== textOf(is.get(path)),
  )
  if (paths.length === 0) return <span class="soft">–</span>
  const list = (
    <ul class="stack" style={{ margin: 0, paddingInlineStart: '1rem', gap: '0.25rem' }}>
      {paths.map((path) => (
        <li key={path}>
          <Member name={path} was={was.get(path)} is={is.get(path)} />
        </li>
      ))}
    </ul>
  )
  if (paths.length <= OPEN_MAX) return list
  return (
    <details>
      <summary>{say('details', { count: paths.length })}</summary>
      {list}
    </details>
  )
}

function Member({ name, was, is }: { name: string; was: unknown; is: unknown }) {
  const say = useWords(WORDS)
  return (
    <>
      <code>{name}</code>{' '}
      {was === undefined ? null : (
        <del class="before" style={{ position: 'relative' }}>
          <span class="visually-hidden">{say('was')} </span>
          <bdi>{textOf(was)}</bdi>
        </del>
      )}{' '}
      {is === undefined ? null : (
        <ins class="after" style={{ position: 'relative', textDecoration: 'none' }}>
          <span class="visually-hidden">{say('is')} </span>
          <bdi>{textOf(is)}</bdi>
        </ins>
      )}
    </>
  )
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
