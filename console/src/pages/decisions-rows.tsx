/** Thousands of decisions as a table of which only the part in view exists; all rows are of one height. */
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { language, useWords, words } from '../language.ts'
import { href } from '../route.ts'
import { Badge, duration } from '../ui/pieces.tsx'
import type { DecisionRow } from './decisions-live.ts'
import { DECISION_TONES, DECISION_WORDS } from './decisions-words.ts'

const WORDS = words({
  message: { en: 'What the editor saw', ru: 'Что увидел редактор', uk: 'Що побачив редактор' },
  asked: {
    en: 'Validators asked',
    ru: 'Опрошены проверяющие системы',
    uk: 'Опитані системи перевірки',
  },
  took: { en: 'Took', ru: 'Заняло', uk: 'Тривало' },
})

const ROW_PX = 40
/** Of the window's height, that the table takes at most. */
const HEIGHT_SHARE = 0.7
/** Rows above and below what is in view. */
const MARGIN_ROWS = 6
/** Of its table, in rem. */
const WIDTHS = [7, 11, 12, 8, 8, 8, 15, 11, 6] as const

const COLUMNS = ['time', 'decision', 'event', 'catalog', 'record', 'person'] as const
const MORE_COLUMNS = ['message', 'asked', 'took'] as const

export function DecisionRows({ rows }: { rows: readonly DecisionRow[] }) {
  const say = useWords(DECISION_WORDS)
  const box = useRef<HTMLDivElement>(null)
  const [first, setFirst] = useState(0)
  useSteadyView(box.current, rows)
  const from = Math.max(0, Math.min(first, rows.length) - MARGIN_ROWS)
  const to = Math.min(rows.length, first + rowsInView() + MARGIN_ROWS)
  return (
    // biome-ignore lint: it scrolls, so it has to be reachable by keyboard
    <div
      ref={box}
      class="table"
      tabIndex={0}
      role="region"
      aria-label={say('title')}
      style={{ maxHeight: `${100 * HEIGHT_SHARE}vh`, overflowY: 'auto', overflowAnchor: 'none' }}
      onScroll={({ currentTarget }) => setFirst(Math.floor(currentTarget.scrollTop / ROW_PX))}
    >
      <table
        aria-rowcount={rows.length + 1}
        style={{ tableLayout: 'fixed', width: `max(100%, ${sum(WIDTHS)}rem)` }}
      >
        <Heads />
        <tbody>
          <Spacer rows={from} />
          {rows.slice(from, to).map((row, index) => (
            <Row key={row.id} row={row} number={from + index + 2} />
          ))}
          <Spacer rows={rows.length - to} />
        </tbody>
      </table>
    </div>
  )
}

const rowsInView = (): number => Math.ceil((HEIGHT_SHARE * innerHeight) / ROW_PX)

const sum = (numbers: readonly number[]): number => numbers.reduce((left, right) => left + right, 0)

/** What somebody reads further down stays where it is while rows come in above it. */
function useSteadyView(box: HTMLDivElement | null, rows: readonly DecisionRow[]): void {
  const before = useRef(rows)
  useLayoutEffect(() => {
    const old = before.current
    before.current = rows
    if (box === null || old === rows || box.scrollTop < ROW_PX) return
    const index = Math.floor(box.scrollTop / ROW_PX)
    const now = rows.findIndex(({ id }) => id === old[index]?.id)
    if (now > index) box.scrollTop += (now - index) * ROW_PX
  }, [box, rows])
}

function Heads() {
  const say = useWords(DECISION_WORDS)
  const sayMore = useWords(WORDS)
  const titles = [...COLUMNS.map((one) => say(one)), ...MORE_COLUMNS.map((one) => sayMore(one))]
  return (
    <thead>
      <tr aria-rowindex={1}>
        {titles.map((title, index) => (
          <th
            key={title}
            scope="col"
            style={{
              position: 'sticky',
              top: 0,
              background: 'var(--surface)',
              width: `${WIDTHS[index]}rem`,
            }}
          >
            {title}
          </th>
        ))}
      </tr>
    </thead>
  )
}

function Spacer({ rows }: { rows: number }) {
  if (rows <= 0) return null
  return (
    <tr aria-hidden="true">
      <td colSpan={WIDTHS.length} style={{ height: `${rows * ROW_PX}px`, padding: 0, border: 0 }} />
    </tr>
  )
}

function Row({ row, number }: { row: DecisionRow; number: number }) {
  const say = useWords(DECISION_WORDS)
  return (
    <tr aria-rowindex={number}>
      <Cell>
        <a href={href('decisions', row.id)}>
          <time dateTime={row.decidedAt}>{clock(row.decidedAt)}</time>
        </a>
      </Cell>
      <Cell>
        <Badge tone={DECISION_TONES[row.decision]}>{say(row.decision)}</Badge>{' '}
        {row.degraded ? <Badge tone="warn">{say('degraded')}</Badge> : null}
      </Cell>
      <Cell text={row.event} />
      <Cell text={row.catalogId} />
      <Cell text={row.recordId ?? '–'} />
      <Cell text={row.person} />
      <Cell text={row.message} />
      <Cell text={row.asked} />
      <Cell>{duration(row.totalMs)}</Cell>
    </tr>
  )
}

/** One line, whatever it holds: the height of a row is counted with. */
function Cell({ text, children }: { text?: string; children?: ComponentChildren }) {
  return (
    <td
      title={text}
      style={{
        height: `${ROW_PX}px`,
        paddingBlock: 0,
        verticalAlign: 'middle',
        overflow: 'hidden',
        textOverflow: 'ellipsis',
        whiteSpace: 'nowrap',
      }}
    >
      {text === undefined ? children : <bdi>{text}</bdi>}
    </td>
  )
}

/** Making a format costs more than using it, and there is one in each row. */
const clocks = new Map<string, Intl.DateTimeFormat>()

function clock(at: string): string {
  const date = new Date(at)
  const isToday = date.toDateString() === new Date().toDateString()
  const name = `${language()} ${isToday}`
  const kept = clocks.get(name)
  if (kept !== undefined) return kept.format(date)
  const form: Intl.DateTimeFormatOptions = isToday
    ? { timeStyle: 'medium' }
    : { dateStyle: 'short', timeStyle: 'medium' }
  const made = new Intl.DateTimeFormat(language(), form)
  clocks.set(name, made)
  return made.format(date)
}
