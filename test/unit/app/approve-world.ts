/** Approvals as the tests of them run them. */
import type { ApproveResponse } from '../../../src/app/answer.ts'
import { type ApproveCommand, approve } from '../../../src/app/approve.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'
import type { Answer } from '../../../src/domain/verdict.ts'
import { subscriptionsOf } from '../../support/build.ts'
import { approvalWorld, commandOf } from './fakes.ts'

type World = ReturnType<typeof approvalWorld>

export const run = (world: World, over: Partial<ApproveCommand> = {}) =>
  approve(commandOf(over), world.ports)

export async function respond(
  world: World,
  over: Partial<ApproveCommand> = {},
): Promise<ApproveResponse> {
  const answered = await run(world, over)
  if (answered.kind !== 'decided') throw new Error('it was replayed')
  return answered.response
}

/** A world in which each validator says what the table has for it. */
export const saying = (answers: Record<string, Answer>, over: Partial<Subscription> = {}) =>
  approvalWorld(
    subscriptionsOf(Object.keys(answers), { events: EVERY_EVENT, ...over }),
    ({ subscription }) => answers[subscription.id] ?? null,
  )

const EVERY_EVENT = [
  'record.before.created',
  'record.before.updated',
  'record.before.deleted',
  'record.updating',
  'record.updated',
]
