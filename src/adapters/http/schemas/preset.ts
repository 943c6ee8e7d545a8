import { z } from 'zod'

const texts = z.object({ en: z.string(), ru: z.string().optional(), uk: z.string().optional() })

const actionCondition = z
  .object({
    catalogId: z.string(),
    field: z.string(),
    title: z.string(),
    options: z
      .array(z.object({ id: z.string(), title: z.string() }))
      .meta({ description: 'Empty where the account has not written down its own.' }),
  })
  .meta({
    description: 'A field that a menu button may depend on, with the values that it can have.',
  })

export const presetView = z
  .object({
    name: z.string(),
    title: texts,
    catalogs: z.array(z.object({ id: z.string(), title: z.string() })),
    eventTypes: z.array(
      z.object({
        name: z.string(),
        title: texts,
        catalogId: z
          .string()
          .optional()
          .meta({ description: 'Whose changes raise it; left out: programs do.' }),
      }),
    ),
    actionConditions: z.array(actionCondition),
  })
  .meta({ id: 'Preset' })

const parts = z.object({
  catalogs: z.array(z.string()).meta({ description: 'Ids.' }),
  eventTypes: z.array(z.string()).meta({ description: 'Names.' }),
})

export const loadedPreset = z
  .object({
    name: z.string(),
    created: parts,
    kept: parts.meta({ description: 'What was there already, as it is, whatever became of it.' }),
    actionConditions: z
      .array(actionCondition)
      .meta({ description: 'By the catalogs as they are now.' }),
  })
  .meta({ id: 'LoadedPreset' })
