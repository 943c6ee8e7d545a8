import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../../src/adapters/system/patterns.ts'
import { type Catalog, valueComplaints } from '../../../../src/domain/catalog.ts'
import { isReservedEventName } from '../../../../src/domain/change.ts'
import { conditionFault } from '../../../../src/domain/condition.ts'
import { EVENT_TYPES_PER_ACCOUNT_MAX } from '../../../../src/domain/event-type.ts'
import { PRESETS } from '../../../../src/domain/presets/index.ts'
import { actionConditionsOf, type Preset } from '../../../../src/domain/presets/preset.ts'
import { PRESET_CHANGES } from '../../../support/preset-changes.ts'
import { raisedBy } from './raised-by.ts'

const catalogOf = ({ catalogs }: Preset, id: string): Catalog => {
  const found = catalogs.find((one) => one.id === id)
  if (found === undefined) throw new Error(`no catalog ${id}`)
  return found
}

const RAISED_BY_PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  helpdesk: [],
  pos: [],
  taxi: ['driver.sos_raised', 'driver.message_sent'],
}

describe.each(PRESETS)('the preset $name', (preset) => {
  const rows = PRESET_CHANGES[preset.name] ?? []
  const { catalogs, eventTypes } = preset

  it.each(rows)('raises exactly what it means when $what', (row) => {
    const catalog = catalogOf(preset, row.catalogId)
    expect(valueComplaints(catalog, row.before ?? {})).toEqual([])
    expect(valueComplaints(catalog, row.sent ?? {})).toEqual([])
    expect(raisedBy(preset, row)).toEqual(row.raises)
  })

  it('has a change for each of its derived events, and a catalog behind it', () => {
    const derived = eventTypes.filter(({ catalogId }) => catalogId !== null)
    expect(derived.length).toBeGreaterThan(0)
    const covered = new Set(rows.flatMap(({ raises }) => raises))
    expect(derived.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([])
    for (const { catalogId, on } of derived) {
      expect(catalogs.map(({ id }) => id)).toContain(catalogId)
      expect(on.length).toBeGreaterThan(0)
    }
  })

  it('leaves to programs only what no record changes with', () => {
    const raised = eventTypes.filter(({ catalogId }) => catalogId === null)
    expect(raised.map(({ name }) => name)).toEqual(RAISED_BY_PROGRAMS[preset.name])
    for (const one of raised) expect(one).toMatchObject({ on: [], conditions: [], data: null })
  })

  it('makes its conditions of fields of the catalog and of values that the field takes', () => {
    for (const { name, catalogId, conditions } of eventTypes) {
      for (const condition of conditions) {
        const catalog = catalogOf(preset, catalogId ?? '')
        const field = catalog.fields.find(({ id }) => id === condition.field)
        expect(field, `${name}: ${condition.field}`).toBeDefined()
        expect(conditionFault(condition, compilePattern)).toBeNull()
        if (condition.op.startsWith('changed') && typeof condition.value === 'string') {
          expect(valueComplaints(catalog, { [condition.field]: condition.value })).toEqual([])
        }
      }
    }
  })

  it('has titles in three languages, and in English where there is one', () => {
    for (const { en, ru, uk } of [preset.title, ...eventTypes.map(({ title }) => title)]) {
      expect(en).toMatch(/^[A-Z][\w ',-]+$/)
      expect(ru).toMatch(/^[А-ЯЁ][а-яёА-ЯЁA-Z ,-]+$/u)
      expect(uk).toMatch(/^[А-ЩЬЮЯЄІЇҐ][а-щьюяєіїґА-ЩЬЮЯЄІЇҐA-Z’ ,-]+$/u)
    }
    for (const { title, fields } of catalogs) {
      for (const one of [title, ...fields.map((field) => field.title)]) {
        expect(one).toMatch(/^[A-Z][\w ,-]+$/)
      }
      for (const { title: option } of fields.flatMap(({ options = [] }) => options)) {
        expect(option).toMatch(/^[A-Z][\w& ]+$/)
      }
    }
  })

  it('gives every catalog fields with ids of their own, none of them required', () => {
    expect(new Set(catalogs.map(({ id }) => id)).size).toBe(catalogs.length)
    for (const { id, fields } of catalogs) {
      expect(fields.length, id).toBeGreaterThan(0)
      expect(new Set(fields.map((field) => field.id)).size, id).toBe(fields.length)
      expect(fields.filter(({ required }) => required === true)).toEqual([])
    }
  })

  it('names its events by the thing and what happened to it, each once', () => {
    const names = eventTypes.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.length).toBeLessThan(EVENT_TYPES_PER_ACCOUNT_MAX / 10)
    for (const name of names) {
      expect(name).toMatch(/^[a-z_]+\.[a-z_]+$/)
      expect(isReservedEventName(name)).toBe(false)
    }
  })
})

describe('conditions of buttons', () => {
  const choice = (id: string, options: string[]) => ({
    id,
    title: id,
    type: 'choice' as const,
    options: options.map((option) => ({ id: option, title: option })),
  })
  const [some] = PRESETS
  if (some === undefined) throw new Error('no preset')
  const preset: Preset = {
    ...some,
    actionFields: [
      { catalogId: 'car', field: 'colour' },
      { catalogId: 'car', field: 'size' },
    ],
  }

  it('follow the catalogs as they are: fields in order, with the options that they have', () => {
    const car = {
      id: 'car',
      title: 'Cars',
      fields: [choice('size', []), choice('colour', ['red'])],
    }
    expect(actionConditionsOf(preset, [car])).toEqual([
      {
        catalogId: 'car',
        field: 'colour',
        title: 'colour',
        options: [{ id: 'red', title: 'red' }],
      },
      { catalogId: 'car', field: 'size', title: 'size', options: [] },
    ])
  })

  it('are gone with the field, and with the catalog', () => {
    const car = {
      id: 'car',
      title: 'Cars',
      fields: [{ ...choice('size', []), options: undefined }],
    }
    expect(actionConditionsOf(preset, [car])).toEqual([
      { catalogId: 'car', field: 'size', title: 'size', options: [] },
    ])
    expect(actionConditionsOf(preset, [])).toEqual([])
  })
})
