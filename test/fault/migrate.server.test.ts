/** The owner of the tables migrates; whoever serves owns nothing. */
import { afterEach, describe, expect, it } from 'vitest'
import { emptyDatabase, GATEWAY_ROLE, gatewaysUrl, type Place } from '../support/places.ts'
import { endAll, runToEnd, startProcess } from '../support/process.ts'

let place: Place | undefined

afterEach(async () => {
  await endAll()
  await place?.remove()
})

describe('migrate', () => {
  it('lets a role that owns nothing serve, which could not start before', async () => {
    place = await emptyDatabase()
    const owners = place.environment
    const gateways = { ...owners, DATABASE_URL: gatewaysUrl(owners['DATABASE_URL'] ?? '') }
    const early = await runToEnd(gateways)
    expect(early).toMatchObject({ code: 1, stdout: '' })
    expect(early.stderr).toContain('run `npm run migrate` as the role that owns them')

    const unknown = await runToEnd(owners, ['migrate', 'nobody of that name'])
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toContain('nobody of that name')
    for (let times = 0; times < 2; times++) {
      const done = await runToEnd(owners, ['migrate', GATEWAY_ROLE])
      expect(done).toMatchObject({ code: 0, stderr: '' })
      expect(done.stdout).toContain(`The role ${GATEWAY_ROLE} may work as a gateway`)
    }

    const { api } = await startProcess(gateways)
    const made = await api.post('/v1/catalogs/things/records', { id: 'r', values: { name: 'x' } })
    expect(made.status).toBe(201)
    expect((await api.get('/v1/catalogs/things/records/r')).json.values).toEqual({ name: 'x' })
    expect((await api.get('/v1/audit/verify')).json).toMatchObject({ ok: true })
  })
})
