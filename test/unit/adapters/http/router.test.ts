/** Which router serves: one path that the fast one cannot hold would make every request pay for it. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type AppPorts, createApp } from '../../../../src/adapters/http/app.ts'
import type { Route } from '../../../../src/adapters/http/route.ts'

const folder = fileURLToPath(new URL('../../../../src/adapters/http/', import.meta.url))

async function everyRoute(): Promise<Route[]> {
  const routes: Route[] = []
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
    const module: Record<string, unknown> = await import(join(folder, file))
    for (const [name, make] of Object.entries(module)) {
      if (!name.endsWith('Routes') || typeof make !== 'function') continue
      routes.push(...(name === 'operationRoutes' ? make([], {}) : make({})))
    }
  }
  return routes
}

describe('the paths of the API', () => {
  it('all fit into the router that finds a path by one regular expression', async () => {
    const routes = await everyRoute()
    expect(routes.length).toBeGreaterThan(30)
    const app = createApp(routes, {} as AppPorts)
    app.router.match('GET', '/v1/catalogs/orders/records/7')
    expect(app.router.name).toBe('SmartRouter + RegExpRouter')
  })
})
