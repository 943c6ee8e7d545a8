/** Where somebody is: the part of the address behind `#`, as `#/subscriptions/sub_1?tab=test`. */
import { useEffect, useState } from 'preact/hooks'

export type Route = { readonly parts: readonly string[]; readonly query: URLSearchParams }

function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2)
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decoded)
  return { parts, query: new URLSearchParams(query) }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** `href('records', catalogId, recordId)`. */
export function href(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join('/')}`
}

export function go(address: string): void {
  location.hash = address
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash))
  useEffect(() => {
    const tell = () => setRoute(routeOf(location.hash))
    addEventListener('hashchange', tell)
    return () => removeEventListener('hashchange', tell)
  }, [])
  return route
}
