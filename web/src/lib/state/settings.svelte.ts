// What somebody chose for this browser: theme, notifications, quiet hours. Kept in localStorage.
import type { QuietHours } from './quiet';

export type Theme = 'system' | 'light' | 'dark';

export interface Settings {
  theme: Theme;
  notify: boolean;
  sound: boolean;
  quiet: QuietHours;
}

const KEPT = 'hubbub.settings';
const FIRST: Settings = { theme: 'system', notify: false, sound: true, quiet: { on: false, from: '22:00', to: '07:00' } };

export const settings = $state<Settings>(read());

/** Changes some settings, keeps them, and tells the other tabs. */
export function change(some: Partial<Settings>): void {
  Object.assign(settings, some);
  localStorage.setItem(KEPT, JSON.stringify(settings));
  showTheme();
}

/** Sets the theme on the page, and follows what other tabs choose. */
export function startSettings(): void {
  showTheme();
  window.addEventListener('storage', (event) => {
    if (event.key !== KEPT) return;
    Object.assign(settings, read());
    showTheme();
  });
}

function read(): Settings {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? '{}') as Partial<Settings>;
    return { ...FIRST, ...kept, quiet: { ...FIRST.quiet, ...kept.quiet } };
  } catch {
    return structuredClone(FIRST);
  }
}

function showTheme(): void {
  const root = document.documentElement;
  if (settings.theme === 'system') delete root.dataset['theme'];
  else root.dataset['theme'] = settings.theme;
  // The browser's own bar: the two tags are for the system's schemes, so a choice overrides both.
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')) {
    const scheme = settings.theme === 'system' ? meta.dataset['scheme'] : settings.theme;
    meta.content = scheme === 'dark' ? '#101218' : '#f3f4f8';
  }
}
