/** `ask_<live|test>_<id>_<secret><checksum>`: scanners find a leaked one by its form alone. */
import { createHash, randomBytes } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SECRET_LENGTH = 43
const CHECKSUM_LENGTH = 6

/** Only `live` ones are made, because there is nothing yet that a `test` one would do otherwise. */
const FORM = /^ask_(?:live|test)_[0-9A-Za-z]{1,64}_[0-9A-Za-z]{49}$/

/** 43 letters of 62 hold 256 bits. */
export function makeApiKey(id: string): string {
  const secret = letters(randomBytes(SECRET_LENGTH * 4))
  const body = `ask_live_${id.replace(/^key_/, '')}_${secret}`
  return body + checksum(body)
}

/** Whether a text has the form of a key and was not mistyped: what has not can be no key of ours. */
export function isApiKey(text: string): boolean {
  if (!FORM.test(text)) return false
  return text.endsWith(checksum(text.slice(0, -CHECKSUM_LENGTH)))
}

/** Each letter from 32 unpredictable bits: the bias of the remainder is below 2^-26. */
function letters(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    text += ALPHABET[bytes.readUInt32BE(at) % ALPHABET.length]
  }
  return text
}

function checksum(body: string): string {
  return letters(
    createHash('sha256')
      .update(body)
      .digest()
      .subarray(0, CHECKSUM_LENGTH * 4),
  )
}
