/** Every list of routes in src/adapters/http, whether or not anybody serves it. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Route } from '../../src/adapters/http/route.ts'

const FOLDER = fileURLToPath(new URL('../../src/adapters/http/', import.meta.url))

export async function everyRoute(): Promise<Route[]> {
  const routes: Route[] = []
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.ts'))) {
    const module: Record<string, unknown> = await import(join(FOLDER, file))
    for (const [name, make] of Object.entries(module)) {
      if (!name.endsWith('Routes') || typeof make !== 'function') continue
      routes.push(...(name === 'operationRoutes' ? make([], {}) : make({})))
    }
  }
  return routes
}
