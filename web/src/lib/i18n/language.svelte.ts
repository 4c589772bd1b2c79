// Which language the page speaks. A rune, so that every text changes with it.

export const LANGUAGES = ['en', 'zh-TW'] as const;
export type Language = (typeof LANGUAGES)[number];

const KEPT = 'hubbub.language';

/** What the browser asks for, the first that we have; English if none. Chinese of any kind: Traditional. */
export function preferred(asked: readonly string[]): Language {
  for (const tag of asked) {
    const primary = tag.toLowerCase().split('-')[0];
    if (primary === 'zh') return 'zh-TW';
    if (primary === 'en') return 'en';
  }
  return 'en';
}

const state = $state<{ language: Language }>({ language: 'en' });

export function language(): Language {
  return state.language;
}

export function setLanguage(to: Language): void {
  state.language = to;
  if (typeof document !== 'undefined') document.documentElement.lang = to;
}

/** What somebody chose on this machine; null: as the browser says. */
export function keptLanguage(): Language | null {
  const kept = localStorage.getItem(KEPT);
  return LANGUAGES.find((name) => name === kept) ?? null;
}

export function keepLanguage(choice: Language | null): void {
  if (choice === null) localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, choice);
  setLanguage(choice ?? preferred(navigator.languages));
}

export function startLanguage(): void {
  setLanguage(keptLanguage() ?? preferred(navigator.languages));
}
