/** Catalogs, their records, and one record as a form. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { ApiProblem, api, at } from '../api.ts'
import type { PageProps } from '../app.tsx'
import { useLoad } from '../load.ts'
import type { ApproveResponse, Catalog, StoredRecord } from '../types.ts'
import { Head, Show } from '../ui/pieces.tsx'
import { GoneCard, RecordCard } from './records-card.tsx'
import { Catalogs, Grid } from './records-list.tsx'

export function Page({ route: { parts, query }, who }: PageProps) {
  const [, catalogId, recordId] = parts
  const [born, setBorn] = useState<ApproveResponse | undefined>(undefined)
  if (catalogId === undefined) return <Catalogs who={who} />
  if (recordId === undefined)
    return (
      <Catalogued key={catalogId} catalogId={catalogId}>
        {(catalog) => <Grid catalog={catalog} query={query} who={who} />}
      </Catalogued>
    )
  const isFresh = recordId === 'new' && !query.has('record')
  const card = { who, born: born?.record?.id === recordId ? born : undefined, onBorn: setBorn }
  return (
    <Catalogued key={catalogId} catalogId={catalogId}>
      {(catalog) =>
        isFresh ? (
          <RecordCard key="" {...card} born={undefined} catalog={catalog} record={null} />
        ) : (
          <Stored key={recordId} {...card} catalog={catalog} recordId={recordId} />
        )
      }
    </Catalogued>
  )
}

type CataloguedProps = {
  readonly catalogId: string
  readonly children: (catalog: Catalog) => ComponentChildren
}

/** A catalog that nobody has defined takes any values, and comes to be with its first record. */
function Catalogued({ catalogId, children }: CataloguedProps) {
  const loaded = useLoad(
    (signal) =>
      api.get<Catalog>(at('/v1/catalogs', catalogId), { signal }).catch((error: unknown) => {
        if (error instanceof ApiProblem && error.status === 404) return undefinedCatalog(catalogId)
        throw error
      }),
    [catalogId],
  )
  return (
    <>
      {loaded.data === undefined ? <Head title={catalogId} /> : null}
      <Show loaded={loaded}>{children}</Show>
    </>
  )
}

function undefinedCatalog(id: string): Catalog {
  return { id, title: id, fields: [] }
}

type StoredProps = Omit<Parameters<typeof RecordCard>[0], 'record'> & { readonly recordId: string }

function Stored({ recordId, ...card }: StoredProps) {
  const { catalog, who } = card
  const path = at('/v1/catalogs', catalog.id, 'records', recordId)
  const loaded = useLoad(
    (signal) =>
      api.get<StoredRecord>(path, { signal }).catch((error: unknown) => {
        if (error instanceof ApiProblem && error.code === 'record_not_found') return null
        throw error
      }),
    [path],
  )
  return (
    <>
      {loaded.data === undefined ? <Head title={recordId} /> : null}
      <Show loaded={loaded}>
        {(record) =>
          record === null ? (
            <GoneCard catalogId={catalog.id} recordId={recordId} who={who} />
          ) : (
            <RecordCard {...card} record={record} />
          )
        }
      </Show>
    </>
  )
}
