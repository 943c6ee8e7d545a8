import type { Events } from '../../app/store.ts'
import type { Database, Statement } from './database.ts'
import { eventParameter, HAPPENED_BESIDE, POINTED } from './event-parts.ts'
import { orUnavailable } from './sqlstate.ts'

const RAISE: Statement = {
  name: 'raise_event',
  text: `
with done as (select $1::text as account),
${HAPPENED_BESIDE(2)},
${POINTED}
select account from done`,
}

export function createEvents(database: Database): Events {
  return {
    raise: async (accountId, event) => {
      await orUnavailable(database.of(accountId).run(RAISE, [accountId, eventParameter([event])]))
    },
  }
}
