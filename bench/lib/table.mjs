/** Rows as a Markdown table, with columns that line up for whoever reads it in a terminal. */

export function markdownTable(header, rows) {
  const widths = header.map((_, column) =>
    Math.max(3, ...[header, ...rows].map((row) => [...row[column]].length)),
  )
  const line = (cells) =>
    `| ${cells.map((cell, column) => padded(cell, widths[column])).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(header), rule, ...rows.map(line)].join('\n')
}

const padded = (text, width) => text + ' '.repeat(width - [...text].length)

/** Three figures that matter, and all before the point. */
export function figure(value, unit = '') {
  if (value === null || !Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2
  const text = value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  return unit === '' || unit.startsWith('/') ? `${text}${unit}` : `${text} ${unit}`
}
