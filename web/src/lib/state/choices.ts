// What somebody may choose. Some of it follows the account; what depends on the device in hand stays on it.
import type { Preferences } from '../client';
import { LANGUAGES, type Language } from '../i18n/language.svelte';
import { isTime, type QuietHours } from './quiet';

const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** Kept by the server under these names; see docs/protocol.md, /api/preferences. */
export interface AccountChoices {
  /** Null: as the browser says. */
  language: Language | null;
  theme: Theme;
  quiet: QuietHours;
}

/** A browser asks on each device whether it may notify, and not everywhere should there be a sound. */
export interface DeviceChoices {
  notify: boolean;
  sound: boolean;
}

export type Choices = AccountChoices & DeviceChoices;
export type AccountKey = keyof AccountChoices;

export const ACCOUNT_KEYS = ['language', 'theme', 'quiet'] as const satisfies readonly AccountKey[];

export function firstChoices(): Choices {
  return { language: null, theme: 'system', quiet: { on: false, from: '22:00', to: '07:00' }, notify: false, sound: true };
}

/** What `kept` says, and what everybody begins with where it says nothing that is understood here. */
export function choicesFrom(kept: Preferences): Choices {
  const choices = firstChoices();
  const { language, theme, quiet, notify, sound } = kept;
  choices.language = LANGUAGES.find((one) => one === language) ?? null;
  choices.theme = THEMES.find((one) => one === theme) ?? choices.theme;
  if (typeof quiet === 'object' && quiet !== null && !Array.isArray(quiet)) {
    const { on, from, to } = quiet;
    if (typeof on === 'boolean') choices.quiet.on = on;
    if (isTime(from)) choices.quiet.from = from;
    if (isTime(to)) choices.quiet.to = to;
  }
  if (typeof notify === 'boolean') choices.notify = notify;
  if (typeof sound === 'boolean') choices.sound = sound;
  return choices;
}
