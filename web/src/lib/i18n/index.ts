// Every word that a person reads: t('area.key', {values}), in the language of the page.
import { language } from './language.svelte';
import type { Language } from './language.svelte';
import account from './en/account';
import admin from './en/admin';
import common from './en/common';
import search from './en/search';
import shell from './en/shell';
import talk from './en/talk';
import zhAccount from './zh-TW/account';
import zhAdmin from './zh-TW/admin';
import zhCommon from './zh-TW/common';
import zhSearch from './zh-TW/search';
import zhShell from './zh-TW/shell';
import zhTalk from './zh-TW/talk';

export { language, LANGUAGES, preferred, setLanguage } from './language.svelte';
export type { Language } from './language.svelte';
export * from './format';
export { errorWords, isCode } from './errors';

const en = { account, admin, common, search, shell, talk };
type Dictionary = typeof en;
type Area = keyof Dictionary & string;

/** The same areas and keys as in English: the type checker holds that. */
const zhTW: { [A in Area]: Record<keyof Dictionary[A], string> } = {
  account: zhAccount,
  admin: zhAdmin,
  common: zhCommon,
  search: zhSearch,
  shell: zhShell,
  talk: zhTalk,
};

const DICTIONARIES: Record<Language, Record<string, Record<string, string>>> = { en, 'zh-TW': zhTW };

/** `shell.log_out`: an area and a key in it. */
export type Key = { [A in Area]: `${A}.${keyof Dictionary[A] & string}` }[Area];
type TextOf<K extends Key> = K extends `${infer A extends Area}.${infer N}` ? (N extends keyof Dictionary[A] ? Dictionary[A][N] : never) : never;
type Names<T> = T extends `${string}{${infer N}}${infer Rest}` ? N | Names<Rest> : never;
type Value = string | number;
type Arguments<K extends Key> = [Names<TextOf<K>>] extends [never] ? [] : [values: Record<Names<TextOf<K>>, Value>];

/** Keys in two forms, `x_one` and `x_other`. */
export type PluralKey = Stem<Key>;
type Stem<K extends string> = K extends `${infer S}_other` ? (`${S}_one` extends Key ? S : never) : never;

/** The text of `key`, with its `{values}` filled in. */
export function t<K extends Key>(key: K, ...values: Arguments<K>): string {
  return fill(lookUp(key), values[0]);
}

/** The text of `key` for a count, as the language's plural wants it; `{count}` is the count, written as here. */
export function plural(key: PluralKey, count: number, values: Record<string, Value> = {}): string {
  const form = new Intl.PluralRules(language()).select(count) === 'one' ? 'one' : 'other';
  return fill(lookUp(`${key}_${form}`), { ...values, count: new Intl.NumberFormat(language()).format(count) });
}

/** The text of a key that is put together at run time, or `otherwise` if there is none. */
export function tOr(key: string, otherwise: string, values: Record<string, Value> = {}): string {
  const [area = '', name = ''] = key.split('.');
  const text = Object.hasOwn(DICTIONARIES.en, area) && Object.hasOwn(DICTIONARIES.en[area] ?? {}, name);
  return text ? fill(lookUp(key), values) : otherwise;
}

function lookUp(key: string): string {
  const [area = '', name = ''] = key.split('.');
  return DICTIONARIES[language()][area]?.[name] ?? DICTIONARIES.en[area]?.[name] ?? key;
}

function fill(text: string, values: Record<string, Value> | undefined): string {
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
}
