/**
 * What every answer says to browsers, whoever asked: keep nothing, guess no type, run and frame nothing, tell nobody
 * where you have been. Pages say more where they need more.
 */
export const ANSWER_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const
