// Which language the page speaks. A rune, so that every text changes with it.

export const LANGUAGES = ['en', 'zh-TW'] as const;
export type Language = (typeof LANGUAGES)[number];

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
