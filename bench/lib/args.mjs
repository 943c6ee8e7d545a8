/** The command line of the bench. */

export class UsageError extends Error {}

/** `--name=value` and `--name` become properties; what nobody knows is an error, not a silent default. */
export function readArguments(words, defaults) {
  const options = { ...defaults }
  for (const word of words) {
    const [, name, value] = /^--([a-z]+)(?:=(.*))?$/.exec(word) ?? []
    if (name === undefined || !Object.hasOwn(defaults, name)) {
      throw new UsageError(`${word} is not an option: ${Object.keys(defaults).join(', ')} are.`)
    }
    options[name] = valueLike(defaults[name], value, word)
  }
  return options
}

function valueLike(fallback, value, word) {
  if (typeof fallback === 'boolean') return value !== 'false'
  if (value === undefined || value === '')
    throw new UsageError(`${word} needs a value, as in ${word}=…`)
  if (typeof fallback !== 'number') return value
  if (!Number.isFinite(Number(value))) throw new UsageError(`${word} is not a number.`)
  return Number(value)
}
