/** A change that went through by a failure policy says so, is told, and only when it really went through. */
import { describe, expect, it } from 'vitest'
import { DEGRADED_EVENT } from '../../../src/domain/change.ts'
import type { Answer } from '../../../src/domain/verdict.ts'
import { allow, confirm, deny, failed, subscriptionOf } from '../../support/build.ts'
import { respond, run } from './approve-world.ts'
import { approvalWorld } from './fakes.ts'

const ASKED = ['record.before.created', 'record.before.updated', 'record.updating']
const PASSED_BY = { subscriptionId: 'open', name: 'open', cause: 'timeout' }

/** A validator whose failures pass, another, and somebody who wants to know. */
function worldOf(answers: { readonly open: Answer; readonly other: Answer }, isHeard = true) {
  const open = { id: 'open', name: 'open', events: ASKED, onFailure: { timeout: 'allow' } } as const
  const other = { id: 'other', name: 'other', events: ASKED, order: 1 }
  const watcher = { id: 'watcher', catalogId: '*', events: [isHeard ? DEGRADED_EVENT : 'x'] }
  return approvalWorld(
    [open, other, watcher].map((one) => subscriptionOf(one)),
    ({ subscription }) => answers[subscription.id as keyof typeof answers],
  )
}

const passing = () => worldOf({ open: failed('timeout'), other: allow() })

const eventsOf = ({ approvals }: ReturnType<typeof worldOf>) =>
  approvals.committed.flatMap(({ events }) => events)

describe('a change that goes through although somebody could not be asked', () => {
  it('is told in the transaction that writes the record', async () => {
    const world = passing()
    const response = await respond(world)
    expect(response).toMatchObject({ decision: 'allow', committed: true, degraded: true })
    expect(world.approvals.committed).toMatchObject([
      {
        write: { kind: 'update' },
        events: [
          {
            subscriptionIds: ['watcher'],
            body: {
              event: DEGRADED_EVENT,
              recordId: 'rec_1',
              decisionId: response.id,
              values: {
                decisionId: response.id,
                change: 'record.before.updated',
                verdicts: [PASSED_BY],
              },
            },
          },
        ],
      },
    ])
    expect(world.told).toBe(1)
    expect(world.journal.events).toMatchObject([{ kind: 'approval.decided', degraded: true }])
  })

  it('names the record that it made', async () => {
    const world = passing()
    const over = { event: 'record.before.created', recordId: undefined } as const
    const { record } = await respond(world, over)
    expect(eventsOf(world)).toMatchObject([{ body: { recordId: record?.id } }])
  })

  it('is told with the approval where the caller commits, before it does', async () => {
    const world = passing()
    await respond(world, { commit: 'caller' })
    expect(world.approvals.committed).toMatchObject([
      { write: null, events: [{ body: { event: DEGRADED_EVENT, recordId: 'rec_1' } }] },
    ])
    expect(world.approvals.committed[0]?.pending).not.toBeNull()
  })

  it('is told with the decision where nothing is written, which then is no longer left for later', async () => {
    const world = passing()
    const response = await respond(world, { event: 'record.updating' })
    expect(response).toMatchObject({ decision: 'allow', committed: false, degraded: true })
    expect(world.approvals.committed).toMatchObject([
      { write: null, pending: null, events: [{ body: { event: DEGRADED_EVENT } }] },
    ])
    expect(world.approvals.logged).toEqual([])
    expect(world.told).toBe(1)
  })

  it('is told once where its answer is kept', async () => {
    const world = passing()
    const render = () => ({ status: 200, body: 'frozen' })
    await run(world, { keep: { key: 'k', fingerprint: 'f', render } })
    expect(eventsOf(world)).toHaveLength(1)
  })

  it('is told to nobody where nobody listens, and says that it is degraded all the same', async () => {
    const world = worldOf({ open: failed('timeout'), other: allow() }, false)
    expect(await respond(world)).toMatchObject({ decision: 'allow', degraded: true })
    expect(eventsOf(world)).toEqual([])
    const form = await respond(world, { event: 'record.updating' })
    expect(form.degraded).toBe(true)
    expect(world.approvals.logged).toHaveLength(1)
  })
})

describe('nothing is told', () => {
  it.each([
    ['a dry run', passing(), { commit: 'none' }],
    ['a form in a dry run', passing(), { commit: 'none', event: 'record.updating' }],
    ['a deny of another', worldOf({ open: failed('timeout'), other: deny('no') }), {}],
    ['a cause that the policy does not name', worldOf({ open: failed('tls'), other: allow() }), {}],
    ['what is yet to be confirmed', worldOf({ open: failed(), other: confirm('sure?') }), {}],
    ['a validator that was asked', worldOf({ open: allow(), other: allow() }), {}],
  ] as const)('of %s', async (_, world, over) => {
    await respond(world, over)
    expect(eventsOf(world)).toEqual([])
  })
})
