/** The one record that everybody creates: six fields, about 300 bytes of JSON. */
const NOTE =
  'Quarterly settlement for the northern region, approved by the finance desk after review of the attached statement and matched with the purchase order; no objections raised by audit.'

/** @param {'ok' | 'deny'} status the validators refuse what says `deny` */
export const recordText = (sequence, status = 'ok') =>
  `{"title":"record seq-${sequence}","kind":"invoice","status":"${status}","amount":${1000 + (sequence % 9000)},"owner":"accounts.team@example.test","note":"${NOTE}"}`
