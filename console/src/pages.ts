/** Every page, by the first part of its address; each is a file of its own that is fetched when it is wanted. */
import type { ComponentType } from 'preact'
import type { PageProps } from './app.tsx'

type Fetch = () => Promise<{ readonly Page: ComponentType<PageProps> }>

export const PAGES = {
  overview: () => import('./pages/overview.tsx'),
  decisions: () => import('./pages/decisions.tsx'),
  records: () => import('./pages/records.tsx'),
  subscriptions: () => import('./pages/subscriptions.tsx'),
  deliveries: () => import('./pages/deliveries.tsx'),
  catalogs: () => import('./pages/catalogs.tsx'),
  events: () => import('./pages/events.tsx'),
  actions: () => import('./pages/actions.tsx'),
  presets: () => import('./pages/presets.tsx'),
  apps: () => import('./pages/apps.tsx'),
  keys: () => import('./pages/keys.tsx'),
  accounts: () => import('./pages/accounts.tsx'),
  audit: () => import('./pages/audit.tsx'),
  start: () => import('./pages/start.tsx'),
} as const satisfies Readonly<Record<string, Fetch>>

export type PageName = keyof typeof PAGES
