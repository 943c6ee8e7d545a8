/** A list of things in columns. */
import type { ComponentChildren } from 'preact'

export type Column<Row> = {
  readonly title: string
  /** Where two have one title. */
  readonly id?: string
  readonly kind?: 'number' | 'tight' | undefined
  readonly cell: (row: Row) => ComponentChildren
}

type TableProps<Row> = {
  /** What the table is of, for who hears it. */
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  readonly onMenu?: ((row: Row, event: MouseEvent) => void) | undefined
}

export function Table<Row>({ label, columns, rows, keyOf, onMenu }: TableProps<Row>) {
  return (
    // biome-ignore lint: it scrolls, so it has to be reachable by keyboard
    <div class="table" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(({ title, id, kind }) => (
              <th key={id ?? title} scope="col" class={kind}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={keyOf(row)}
              onContextMenu={onMenu === undefined ? undefined : (event) => onMenu(row, event)}
            >
              {columns.map(({ title, id, kind, cell }) => (
                <td key={id ?? title} class={kind}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
