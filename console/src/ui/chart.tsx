/** Lines over time, drawn as SVG. Whoever cannot see them gets the same as a table. */
import { useState } from 'preact/hooks'
import { language, useWords, words } from '../language.ts'
import { type Column, Table } from './table.tsx'

const WORDS = words({
  table: { en: 'As a table', ru: 'Таблицей', uk: 'Таблицею' },
  time: { en: 'Time', ru: 'Время', uk: 'Час' },
})

export type Line = {
  /** Names may be equal, ids not. */
  readonly id: string
  readonly name: string
  /** One of the page's colours. */
  readonly color: string
  /** By the times of the chart; null where nothing was measured. */
  readonly values: readonly (number | null)[]
}

type ChartProps = {
  readonly label: string
  /** RFC 3339, in order. */
  readonly times: readonly string[]
  readonly lines: readonly Line[]
  readonly format: (value: number) => string
}

const WIDTH = 600
const HEIGHT = 170
const LEFT = 56
const BOTTOM = 22
const TOP = 8

export function Chart({ label, times, lines, format }: ChartProps) {
  const highest = Math.max(0, ...lines.flatMap(({ values }) => values.map((one) => one ?? 0)))
  const top = niceAbove(highest)
  const x = (index: number) => LEFT + (index / Math.max(1, times.length - 1)) * (WIDTH - LEFT - 8)
  const y = (value: number) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)
  return (
    <figure class="stack">
      <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
        {[0, top / 2, top].map((value) => (
          <g key={value}>
            <line class="axis" x1={LEFT} x2={WIDTH - 8} y1={y(value)} y2={y(value)} />
            <text x={LEFT - 6} y={y(value) + 4} text-anchor="end">
              {format(value)}
            </text>
          </g>
        ))}
        {marks(times).map((index) => (
          <text key={index} x={x(index)} y={HEIGHT - 6} text-anchor="middle">
            {clock(times[index] ?? '')}
          </text>
        ))}
        {lines.map(({ id, color, values }) => (
          <path
            key={id}
            d={pathOf(values, x, y)}
            fill="none"
            stroke={color}
            stroke-width="2"
            stroke-linejoin="round"
            stroke-linecap="round"
          />
        ))}
      </svg>
      <ul class="legend-list">
        {lines.map(({ id, name, color, values }) => (
          <li key={id}>
            <i style={{ background: color }} />
            {name}: {lastOf(values, format)}
          </li>
        ))}
      </ul>
      <AsTable label={label} times={times} lines={lines} format={format} />
    </figure>
  )
}

/** Made when somebody asks for it: it is long, and the chart is drawn again every few seconds. */
function AsTable({ label, times, lines, format }: ChartProps) {
  const say = useWords(WORDS)
  const [isOpen, setOpen] = useState(false)
  const columns: readonly Column<number>[] = [
    { id: 'time', title: say('time'), kind: 'tight', cell: (row) => clock(times[row] ?? '') },
    ...lines.map(({ id, name, values }) => ({
      id,
      title: name,
      kind: 'number' as const,
      cell: (row: number) => lastOf([values[row] ?? null], format),
    })),
  ]
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary class="small">{say('table')}</summary>
      {isOpen ? (
        <Table label={label} columns={columns} rows={times.map((_, row) => row)} keyOf={String} />
      ) : null}
    </details>
  )
}

function pathOf(
  values: readonly (number | null)[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  let isDrawing = false
  return values
    .map((value, index) => {
      const command = isDrawing ? 'L' : 'M'
      // A point by itself is a dot.
      const dot = isDrawing ? '' : 'h.01'
      isDrawing = value !== null
      return value === null ? '' : `${command}${x(index).toFixed(1)} ${y(value).toFixed(1)}${dot}`
    })
    .join('')
}

/** 1, 2 or 5 with zeros: what an axis ends with. */
function niceAbove(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= value) ?? value
}

/** Four times to write below. */
function marks(times: readonly string[]): readonly number[] {
  if (times.length < 2) return times.map((_, index) => index)
  return [0.08, 0.36, 0.64, 0.92].map((part) => Math.round(part * (times.length - 1)))
}

function clock(at: string): string {
  return at === ''
    ? ''
    : new Intl.DateTimeFormat(language(), { timeStyle: 'short' }).format(new Date(at))
}

function lastOf(values: readonly (number | null)[], format: (value: number) => string): string {
  const last = values.findLast((one) => one !== null)
  return last === undefined || last === null ? '–' : format(last)
}
