import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  // Hubbub serves the page; this is where the Python package has it. Files with a hash in their name are in `/-/`, which
  // stays Hubbub's when somebody serves a page of their own.
  build: { outDir: '../src/hubbub/static', emptyOutDir: true, assetsDir: '-', assetsInlineLimit: 0, target: 'es2022' },
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
});
