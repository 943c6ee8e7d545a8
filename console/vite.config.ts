import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

/** Static files under /console; the gateway serves them (src/adapters/console). */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/console/',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: fileURLToPath(new URL('../dist/console', import.meta.url)),
    assetsDir: 'files',
    emptyOutDir: true,
    target: 'es2022',
    // The policy of the page takes no data: addresses for scripts and styles.
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What pages share stays where the first page finds it.
          includeDependenciesRecursively: false,
          // Their words are much the same, so they are smaller in one file.
          groups: [
            {
              name: 'settings',
              test: /src\/pages\/(catalogs|events|actions|presets|apps|keys|accounts|audit)[-.]|src\/ui\/(settings|account-field|catalog-pick|shown-once)\./,
            },
            { name: 'log', test: /src\/pages\/(decisions|deliveries)[-.]/ },
            { name: 'records', test: /src\/pages\/(records|start)[-.]/ },
          ],
        },
      },
    },
  },
})
