import { createdAnything, loadPreset, type PresetPorts } from '../../app/load-preset.ts'
import { PRESETS } from '../../domain/presets/index.ts'
import { actionConditionsOf, type Preset } from '../../domain/presets/preset.ts'
import { type ActingPorts, acting } from './acting.ts'
import { pagedBy, pageOf } from './paging.ts'
import { created, ok, type Route, route } from './route.ts'
import { pageQuery, pageOf as pageSchema } from './schemas/common.ts'
import { loadedPreset, presetView } from './schemas/preset.ts'

const COLLECTION = '/v1/presets'
const tag = 'Presets'

export function presetRoutes(ports: PresetPorts & ActingPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: COLLECTION,
      scopes: ['read'],
      tag,
      summary: 'List presets and what each of them brings, in order of name',
      query: pageQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(presetView) } },
      handle: ({ query }) => {
        const { limit, after } = pageOf(query)
        const rest = PRESETS.filter(({ name }) => after === null || name > after).slice(0, limit)
        return ok(pagedBy(rest.map(viewOf), query, ({ name }) => name))
      },
    }),
    route({
      method: 'POST',
      path: `${COLLECTION}/{name}`,
      scopes: ['manage'],
      tag,
      summary: 'Load a preset: add what the account lacks of it, change nothing that is there',
      responses: {
        200: { description: 'Everything was there.', schema: loadedPreset },
        201: { description: 'Something was added.', schema: loadedPreset },
      },
      handle: async ({ caller, requestId, params: { name = '' } }) => {
        const loaded = await loadPreset(caller.accountId, name, acting(ports, caller, requestId))
        return createdAnything(loaded) ? created(loaded) : ok(loaded)
      },
    }),
  ]
}

function viewOf(preset: Preset) {
  const { name, title, catalogs, eventTypes } = preset
  return {
    name,
    title,
    catalogs: catalogs.map(({ id, title: called }) => ({ id, title: called })),
    eventTypes: eventTypes.map((one) => ({
      name: one.name,
      title: one.title,
      catalogId: one.catalogId ?? undefined,
    })),
    actionConditions: actionConditionsOf(preset, catalogs),
  }
}
