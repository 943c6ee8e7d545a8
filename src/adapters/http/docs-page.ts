/** The API as a page, made from its OpenAPI document on the server: it needs no script to be read. */
import { document, html, type Markup } from './html.ts'
import type { OpenApiDocument, Operation } from './openapi.ts'

export function docsPage(api: OpenApiDocument): string {
  const sections = api.tags.map(({ name }) => section(api, name))
  const schemas = Object.entries(api.components.schemas).map(
    ([name, schema]) =>
      html`<details id="schema-${name}"><summary><code>${name}</code></summary><pre>${pretty(schema)}</pre></details>`,
  )
  return document(
    `${api.info.title} API`,
    html`<h1>${api.info.title} API <small class="note">${api.info.version}</small></h1>
<p>${api.info.description}</p>
<p>The same as a document for tools: <a href="/openapi.json">/openapi.json</a>. What is wrong comes as RFC 9457 problem documents.</p>
${sections}
<h2>Schemas</h2>${schemas}`,
  )
}

function section(api: OpenApiDocument, tag: string): Markup {
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags.includes(tag))
      .map(([method, operation]) => operationMarkup(path, method.toUpperCase(), operation)),
  )
  return html`<h2>${tag}</h2>${operations}`
}

function operationMarkup(path: string, method: string, operation: Operation): Markup {
  const parameters = operation.parameters.map(
    ({ name, in: place, description }) =>
      html`<tr><td><code>${name}</code></td><td>${place}</td><td>${description ?? ''}</td></tr>`,
  )
  const responses = Object.entries(operation.responses).map(
    ([status, response]) =>
      html`<tr><td><code>${status}</code></td><td>${describe(response)}</td><td>${schemaLink(response)}</td></tr>`,
  )
  return html`<details><summary><b>${method}</b> <code>${path}</code> ${operation.summary}</summary>
<p>${operation.description ?? ''}</p>
${parameters.length === 0 ? null : html`<table><tr><th>Parameter</th><th>In</th><th></th></tr>${parameters}</table>`}
${operation.requestBody === undefined ? null : html`<p>Body: ${schemaLink(operation.requestBody)}</p>`}
<table><tr><th>Status</th><th></th><th>Body</th></tr>${responses}</table></details>`
}

function describe(response: object): string {
  return 'description' in response ? String(response.description) : ''
}

type Content = Readonly<Record<string, { readonly schema?: { readonly $ref?: string } }>>

/** The name of a body's schema as a link, or the schema itself where it has no name. */
function schemaLink(holder: object): Markup {
  const content = 'content' in holder ? (holder.content as Content) : {}
  const [entry] = Object.entries(content)
  if (entry === undefined) return html``
  const [mediaType, { schema }] = entry
  const name = schema?.$ref?.split('/').at(-1)
  if (name !== undefined)
    return html`<a href="#schema-${name}">${name}</a> <span class="note">${mediaType}</span>`
  return html`<details><summary class="note">${mediaType}</summary><pre>${pretty(schema ?? {})}</pre></details>`
}

const pretty = (value: unknown): string => JSON.stringify(value, null, 2)
