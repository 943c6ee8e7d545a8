import { describe, expect, it } from 'vitest'
import type { ApproveCommand } from '../../../src/app/approve.ts'
import { isGatewayWrite, prepareChange, writeFor } from '../../../src/app/prepare-change.ts'
import type { StoredRecord } from '../../../src/app/store.ts'
import { RECORD_VALUES_MAX } from '../../../src/domain/catalog.ts'
import { configurationOf } from '../../support/build.ts'
import { commandOf, recordOf, recordsOf } from './fakes.ts'

const catalogs = [
  {
    id: 'orders',
    title: 'Orders',
    fields: [
      { id: 'status', title: 'Status', type: 'text', required: true },
      { id: 'total', title: 'Total', type: 'number' },
    ],
  } as const,
]

const prepare = (
  over: Partial<ApproveCommand> = {},
  stored: StoredRecord[] = [recordOf()],
  configuration = configurationOf([], { catalogs }),
) => prepareChange(commandOf(over), configuration, recordsOf(...stored))

const CREATE = { event: 'record.before.created', recordId: undefined } as const

describe('a change', () => {
  it('is written by the gateway unless the caller commits, nobody does, or it is only a form', () => {
    const event = 'record.before.updated'
    expect(isGatewayWrite({ event, commit: 'gateway' })).toBe(true)
    expect(isGatewayWrite({ event, commit: 'caller' })).toBe(false)
    expect(isGatewayWrite({ event, commit: 'none' })).toBe(false)
    expect(isGatewayWrite({ event: 'record.updating', commit: 'gateway' })).toBe(false)
  })

  it('has the previous values of the store where the gateway writes, of the caller elsewhere', async () => {
    const prevValues = { status: 'said' }
    const previous = async (over: Partial<ApproveCommand>) =>
      (await prepare(over)).change.prevValues
    expect(await previous({ prevValues })).toEqual(recordOf().values)
    expect(await previous({ prevValues, commit: 'caller' })).toEqual(prevValues)
    expect(await previous({ commit: 'caller' })).toEqual(recordOf().values)
    expect(await previous({ commit: 'none', recordId: 'rec_9' })).toBeUndefined()
    expect(await previous({ ...CREATE, prevValues })).toBeUndefined()
    const event = 'record.updating'
    expect(await previous({ event, prevValues })).toEqual(recordOf().values)
    expect(await previous({ event, prevValues, recordId: 'rec_9' })).toEqual(prevValues)
  })

  it('has no values on delete and empty ones when none were sent', async () => {
    const deleted = await prepare({ event: 'record.before.deleted' })
    expect(deleted.change.values).toBeUndefined()
    expect((await prepare({ values: undefined })).change.values).toEqual({})
  })

  it('has the whole form only while it is being filled in', async () => {
    const allValues = { status: 'x' }
    expect((await prepare({ allValues })).change.allValues).toBeUndefined()
    const form = await prepare({ allValues, event: 'record.updating' })
    expect(form.change.allValues).toEqual(allValues)
  })
})

describe('a change that cannot be', () => {
  it.each<[string, Partial<ApproveCommand>]>([
    ['record_not_found', { recordId: 'rec_9' }],
    ['record_exists', { event: 'record.before.created' }],
    ['version_conflict', { baseVersion: 2 }],
    ['version_conflict', { baseVersion: 2, commit: 'caller', prevValues: {} }],
    ['invalid_values', { values: { total: 'ten' } }],
    ['invalid_values', { values: { unknown: 1 } }],
    ['invalid_values', { ...CREATE, values: { total: 1 } }],
    ['invalid_values', { values: { status: null } }],
  ])('is refused as %s: %j', async (code, over) => {
    await expect(prepare(over)).rejects.toMatchObject({ code })
  })

  it('is not one that somebody else writes', async () => {
    await expect(prepare({ recordId: 'rec_9', commit: 'caller' })).resolves.toBeTruthy()
    await expect(
      prepare({ event: 'record.before.created', commit: 'caller' }),
    ).resolves.toBeTruthy()
    await expect(prepare({ baseVersion: 3 })).resolves.toBeTruthy()
  })

  it('tells all that is wrong with it at once', async () => {
    const values = { total: 'ten', unknown: 1 }
    await expect(prepare({ ...CREATE, values })).rejects.toMatchObject({
      details: {
        complaints: [
          { pointer: '/values/total' },
          { pointer: '/values/unknown' },
          { pointer: '/values/status' },
        ],
      },
    })
  })

  it('may still lack what is required while the form is being filled in, and when it is deleted', async () => {
    const bare = [recordOf({ values: {} })]
    await expect(
      prepare({ event: 'record.updating', values: { total: 1 } }, bare),
    ).resolves.toBeTruthy()
    await expect(prepare({ event: 'record.before.deleted' }, bare)).resolves.toBeTruthy()
  })

  it('has more than 1,000 values, those that are there included', async () => {
    const many = (count: number, prefix: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, at]))
    const free = configurationOf([])
    const stored = [recordOf({ values: many(600, 'a') })]
    expect(RECORD_VALUES_MAX).toBe(1_000)
    await expect(prepare({ values: many(400, 'b') }, stored, free)).resolves.toBeTruthy()
    await expect(prepare({ values: many(401, 'b') }, stored, free)).rejects.toMatchObject({
      code: 'too_many_values',
    })
  })
})

describe('what is written', () => {
  const write = async (over: Partial<ApproveCommand>, stored?: StoredRecord[]) =>
    writeFor(commandOf(over), await prepare(over, stored), () => 'rec_new')

  it('is the whole record as it will be, under the version and origin that were read', async () => {
    const expected = { version: 3, origin: 'dec_0' }
    expect(await write({})).toEqual({
      kind: 'update',
      recordId: 'rec_1',
      values: { status: 'paid', total: 10 },
      expected,
    })
    const event = 'record.before.deleted'
    expect(await write({ event })).toEqual({ kind: 'delete', recordId: 'rec_1', expected })
    expect(await write({ ...CREATE })).toEqual({
      kind: 'insert',
      recordId: 'rec_new',
      values: { status: 'paid' },
    })
    expect(await write({ event: 'record.before.created', recordId: 'mine' }, [])).toMatchObject({
      recordId: 'mine',
    })
  })

  it('is nothing where somebody else writes', async () => {
    expect(await write({ commit: 'caller' })).toBeNull()
    expect(await write({ commit: 'none' })).toBeNull()
    expect(await write({ event: 'record.updating' })).toBeNull()
  })
})
