// The service worker: the page's shell opens without a network. It keeps the page and its files, and nothing that
// anybody wrote: /api, /ws, /login and the like never pass through it.
'use strict';

const CACHE = 'hubbub-shell-1';
const PAGE = '/';
const PATIENCE = 4000;
// What is kept for good: files with a hash of their content in the name. Served at other addresses: asked for anew.
const HASHED = /^\/-\//;
const OTHERS = /^\/(icon[\w-]*\.(png|svg)|manifest\.webmanifest)$/;
// Addresses at which the server answers with the page; see src/hubbub/http/files.py.
const PLACES = /^\/($|rooms(\/|$)|search$|account$|admin(\/|$)|login$)/;

self.addEventListener('install', (event) => {
  event.waitUntil(install());
});
self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name.startsWith('hubbub-') && name !== CACHE) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    if (PLACES.test(url.pathname)) event.respondWith(page(event));
  } else if (HASHED.test(url.pathname)) event.respondWith(kept(request));
  else if (OTHERS.test(url.pathname)) event.respondWith(freshOrKept(request));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const path = event.notification.data?.path ?? PAGE;
  event.waitUntil(
    (async () => {
      const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
      if (windows.length === 0) return self.clients.openWindow(path);
      const open = windows.find((client) => client.focused) ?? windows[0];
      open.postMessage({ type: 'open', path });
      await open.focus().catch(() => undefined); // it may be forbidden: the room is open all the same
    })(),
  );
});

async function install() {
  const response = await fetch(PAGE, { cache: 'no-cache' });
  if (response.ok) await keepPage(response);
  await self.skipWaiting();
}

/** The page from the network, so that a new version is there at the next load; without one, the page that is kept. */
async function page(event) {
  try {
    const response = await soon(fetch(event.request));
    // A restarting server's proxy may say 502: the shell waits for it better than a blank page.
    if (response.status >= 500) return (await caches.match(PAGE)) ?? response;
    if (response.ok && !response.redirected) event.waitUntil(keepPage(response.clone()).catch(() => undefined));
    return response;
  } catch {
    const shell = await caches.match(PAGE);
    return shell ?? fetch(event.request);
  }
}

/** What `response` will be, or an error if it takes so long that the page that is kept is better. */
function soon(response) {
  return Promise.race([response, new Promise((_, reject) => setTimeout(() => reject(new Error('slow')), PATIENCE))]);
}

/** Keeps a page with all files that it needs, and lets go those of older versions. */
async function keepPage(response) {
  const cache = await caches.open(CACHE);
  const text = await response.clone().text();
  const known = await cache.match(PAGE);
  if (known && (await known.text()) === text) return;
  const wanted = await filesOf(text);
  await Promise.all(wanted.map(async (path) => (await cache.match(path)) ?? cache.add(path)));
  await cache.put(PAGE, new Response(text, { headers: response.headers }));
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    if (HASHED.test(pathname) && !wanted.includes(pathname)) await cache.delete(request);
  }
}

/** The files named in the page, and the pages named in its scripts: what is loaded when needed is needed offline too. */
async function filesOf(html) {
  const found = new Set(html.match(/\/-\/[\w-]+\.(?:js|css)/g) ?? []);
  for (const path of [...found].filter((one) => one.endsWith('.js'))) {
    const source = await (await fetch(path)).text();
    // Vite lists the pages and their styles as `-/Search-BFi-y0nz.js`. Emoji and highlighting are not in that list: they
    // are large, and kept once they were used.
    for (const match of source.matchAll(/["'`]-(\/[\w-]+\.(?:js|css))["'`]/g)) found.add(`/-${match[1]}`);
  }
  return [...found];
}

async function kept(request) {
  const cache = await caches.open(CACHE);
  const found = await cache.match(request);
  if (found) return found;
  const response = await fetch(request);
  if (response.ok) await cache.put(request, response.clone()).catch(() => undefined);
  return response;
}

async function freshOrKept(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone()).catch(() => undefined);
    return response;
  } catch (error) {
    const found = await cache.match(request);
    if (found) return found;
    throw error;
  }
}
