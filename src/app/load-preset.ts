/**
 * A preset brings what an account lacks of it. What is there already is the administrator's, whatever was
 * made of it since; what was deleted comes back only when somebody loads the preset again.
 */
import type { Catalog } from '../domain/catalog.ts'
import { PRESETS } from '../domain/presets/index.ts'
import { type ActionCondition, actionConditionsOf, type Preset } from '../domain/presets/preset.ts'
import { Problem } from '../domain/problem.ts'

/** Ids of catalogs, and names of event types, in the order of the preset. */
type Parts = { readonly catalogs: readonly string[]; readonly eventTypes: readonly string[] }

export interface Presets {
  /** What the account has of the preset, its catalogs as they are now. */
  present(
    accountId: string,
    preset: Preset,
  ): Promise<{ readonly catalogs: readonly Catalog[]; readonly eventTypes: readonly string[] }>
  /**
   * Adds what is not there, all or nothing, and says what that was. It counts as a change of settings even
   * where it finds nothing to add. Throws Problem `limit_reached`.
   */
  add(accountId: string, preset: Preset): Promise<Parts>
}

export type PresetPorts = { readonly presets: Presets }

export type LoadedPreset = {
  readonly name: string
  readonly created: Parts
  readonly kept: Parts
  readonly actionConditions: readonly ActionCondition[]
}

const NOTHING: Parts = { catalogs: [], eventTypes: [] }

export async function loadPreset(
  accountId: string,
  name: string,
  { presets }: PresetPorts,
): Promise<LoadedPreset> {
  const preset = PRESETS.find((one) => one.name === name)
  if (preset === undefined) throw new Problem('not_found', { detail: 'There is no such preset.' })
  const before = await presets.present(accountId, preset)
  // Looked at first: plans of approvals under way are made anew after each change of settings.
  const isComplete =
    before.catalogs.length === preset.catalogs.length &&
    before.eventTypes.length === preset.eventTypes.length
  const created = isComplete ? NOTHING : await presets.add(accountId, preset)
  const { catalogs } = isComplete ? before : await presets.present(accountId, preset)
  return {
    name,
    created,
    kept: rest(preset, created),
    actionConditions: actionConditionsOf(preset, catalogs),
  }
}

export function createdAnything({ created }: LoadedPreset): boolean {
  return created.catalogs.length + created.eventTypes.length > 0
}

function rest(preset: Preset, { catalogs, eventTypes }: Parts): Parts {
  return {
    catalogs: preset.catalogs.map(({ id }) => id).filter((id) => !catalogs.includes(id)),
    eventTypes: preset.eventTypes.map(({ name }) => name).filter((it) => !eventTypes.includes(it)),
  }
}
