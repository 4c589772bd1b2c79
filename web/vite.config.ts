import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Nothing is painted before the page knows which theme was chosen: else a dark page would begin with a white flash. */
const paintOnceReady: Plugin = {
  name: 'paint-once-ready',
  transformIndexHtml: { order: 'post', handler: (html) => html.replace('<script type="module"', '<script type="module" blocking="render"') },
};

export default defineConfig({
  plugins: [svelte(), paintOnceReady],
  // Hubbub serves the page; this is where the Python package has it. Files with a hash in their name are in `/-/`, which
  // stays Hubbub's when somebody serves a page of their own.
  build: { outDir: '../src/hubbub/static', emptyOutDir: true, assetsDir: '-', assetsInlineLimit: 0, target: 'es2022' },
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
});
