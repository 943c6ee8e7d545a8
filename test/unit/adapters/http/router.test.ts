/** Which router serves: one path that the fast one cannot hold would make every request pay for it. */
import { describe, expect, it } from 'vitest'
import { type AppPorts, createApp } from '../../../../src/adapters/http/app.ts'
import { everyRoute } from '../../../support/every-route.ts'

describe('the paths of the API', () => {
  it('all fit into the router that finds a path by one regular expression', async () => {
    const routes = await everyRoute()
    expect(routes.length).toBeGreaterThan(30)
    const app = createApp(routes, {} as AppPorts)
    app.router.match('GET', '/v1/catalogs/orders/records/7')
    expect(app.router.name).toBe('SmartRouter + RegExpRouter')
  })
})
