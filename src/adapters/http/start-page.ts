/** The first page that somebody who started the gateway opens: is it well, and what comes next. */
import { document, html } from './html.ts'
import type { Readiness } from './operations.ts'

const FIRST_STEPS = `KEY=<the key printed at the first start>
BASE=<this address>

# Everybody who has a say subscribes.
curl -s $BASE/v1/subscriptions -H "Authorization: Bearer $KEY" -d '{
  "name": "Stock", "catalogId": "orders",
  "events": ["record.before.created"], "url": "http://127.0.0.1:9000/check" }'

# A change is asked about and, on allow, committed.
curl -s $BASE/v1/approve -H "Authorization: Bearer $KEY" -d '{
  "event": "record.before.created", "catalogId": "orders",
  "values": { "title": "Ten chairs" } }'

# Why was it refused, and by whom?
curl -s $BASE/v1/decisions -H "Authorization: Bearer $KEY"`

export function startPage(version: string, readiness: Readiness): string {
  const checks = Object.entries(readiness).map(
    ([name, trouble]) => html`<tr><td>${name}</td><td>${trouble ?? 'well'}</td></tr>`,
  )
  return document(
    'Assent',
    html`<h1>Assent <small class="note">${version}</small></h1>
<p>The gateway that asks before a record is written.</p>
<table><tr><th>Part</th><th>State</th></tr>${checks}</table>
<h2>First steps</h2><pre>${FIRST_STEPS}</pre>
<h2>Where things are</h2>
<ul><li><a href="/docs">The API</a>, and as <a href="/openapi.json">OpenAPI</a></li>
<li><a href="/metrics">Metrics</a> for Prometheus</li>
<li><a href="/readyz">Readiness</a> and <a href="/healthz">health</a></li></ul>`,
  )
}
