import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Builds the page into dist/page, where the daemon finds it: `vite build -c scripts/page.vite.config.ts`. */
export default defineConfig({
  root: folder('../src/http/page'),
  base: '/',
  // The page is served under a content security policy without inline code, so nothing may be folded into the HTML.
  build: {
    outDir: folder('../dist/page'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
})
