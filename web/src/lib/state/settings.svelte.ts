// What somebody chose, as the page shows it: theme, language, notifications, quiet hours. The keeper keeps it.
import { api } from '../client';
import { preferred, setLanguage } from '../i18n/language.svelte';
import type { Choices } from './choices';
import { client } from './client';
import { Keeper } from './keeper';
import { router } from './router';
import { shelf } from './storage';

export type { Theme } from './choices';

const keeper = new Keeper({ shelf, api, changed: show }, ['setup', 'invite', 'reset'].includes(router.get().page));
const state = $state<Choices>(structuredClone(keeper.choices));

export const settings: Readonly<Choices> = state;

/** Changes some settings, keeps them, and tells the other tabs. */
export function change(some: Partial<Choices>): void {
  keeper.change($state.snapshot(some));
}

/** Nobody is logged in any more, or somebody else: their settings are not for who comes next. */
export function leaveSettings(): void {
  keeper.loggedOut();
}

/** Under which name this browser keeps something of the user's alone; null: nobody is logged in. */
export const keptFor = (): string | null => keeper.user;

/** Shows what was chosen, before the first paint, and follows the account and the other tabs. */
export function startSettings(): void {
  show(keeper.choices);
  client.connection.subscribe(({ kind }) => {
    const me = client.me.get();
    if (kind === 'online' && me) keeper.online(me.name);
    else if (kind === 'ended') keeper.loggedOut();
    else keeper.offline();
  });
  window.addEventListener('storage', (event) => keeper.storageChanged(event.key));
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') keeper.shown();
  });
}

function show(choices: Choices): void {
  Object.assign(state, structuredClone(choices));
  setLanguage(choices.language ?? preferred(navigator.languages));
  showTheme();
}

function showTheme(): void {
  const root = document.documentElement;
  if (state.theme === 'system') delete root.dataset['theme'];
  else root.dataset['theme'] = state.theme;
  // The browser's own bar: the two tags are for the system's schemes, so a choice overrides both.
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')) {
    const scheme = state.theme === 'system' ? meta.dataset['scheme'] : state.theme;
    meta.content = scheme === 'dark' ? '#101218' : '#f3f4f8';
  }
}
