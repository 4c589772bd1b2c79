// Numbers, times and lists as the language of the page writes them, in the reader's time zone.
import { language } from './language.svelte';

const DAY = 86_400_000;
const kept = new Map<string, unknown>();

/** The page's language as the reader's region writes it: 14:05 in Britain, 2:05 PM in America. */
function region(): string {
  const page = language();
  if (page !== 'en' || typeof navigator === 'undefined') return page;
  return navigator.languages?.find((locale) => locale.startsWith('en-')) ?? page;
}

/** Intl's objects are slow to make: each once a language. */
function once<T>(name: string, make: (locale: string) => T): T {
  const key = `${language()} ${name}`;
  if (!kept.has(key)) kept.set(key, make(region()));
  return kept.get(key) as T;
}

export function formatNumber(value: number): string {
  return once('number', (locale) => new Intl.NumberFormat(locale)).format(value);
}

/** 14:05, or 2:05 PM. */
export function formatTime(at: number): string {
  return once('time', (locale) => new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' })).format(at);
}

/** With seconds and zone, for whoever wants to know exactly. */
export function formatExact(at: number): string {
  return once('exact', (locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' })).format(at);
}

export function formatDateTime(at: number): string {
  return once('date time', (locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })).format(at);
}

/** Today, yesterday, or the date: with the year if it is another. */
export function formatDay(at: number, now: number): string {
  const days = daysBetween(at, now);
  if (days === 0 || days === 1) {
    return capital(once('day word', (locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })).format(-days, 'day'));
  }
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const shape = { weekday: 'long', month: 'long', day: 'numeric' } as const;
  return once(`day ${sameYear}`, (locale) => new Intl.DateTimeFormat(locale, sameYear ? shape : { ...shape, year: 'numeric' })).format(at);
}

/** 5 minutes ago, in 3 days. */
export function formatRelative(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1000);
  const format = once('relative', (locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }));
  const size = Math.abs(seconds);
  if (size < 60) return format.format(0, 'second');
  if (size < 3600) return format.format(Math.round(seconds / 60), 'minute');
  if (size < 86_400) return format.format(Math.round(seconds / 3600), 'hour');
  return format.format(Math.round(seconds / 86_400), 'day');
}

/** 45 seconds, 3 minutes: rounded up, so that nobody comes too early. */
export function formatWait(seconds: number): string {
  const [value, unit] = seconds <= 90 ? [Math.max(1, Math.ceil(seconds)), 'second'] : seconds <= 5400 ? [Math.ceil(seconds / 60), 'minute'] : [Math.ceil(seconds / 3600), 'hour'];
  return once(`unit ${unit}`, (locale) => new Intl.NumberFormat(locale, { style: 'unit', unit: String(unit), unitDisplay: 'long' })).format(Number(value));
}

/** ada, bob and carol. */
export function formatList(names: readonly string[]): string {
  return once('list', (locale) => new Intl.ListFormat(locale, { type: 'conjunction' })).format(names);
}

/** 1.4 GB. */
export function formatBytes(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  const unit = units[power] ?? 'byte';
  return once(`bytes ${unit}`, (locale) => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 })).format(bytes / 1000 ** power);
}

const capital = (text: string): string => text.charAt(0).toLocaleUpperCase(language()) + text.slice(1);

/** Whole days by the calendar between two times: 1 is yesterday, whatever the hour. */
export function daysBetween(at: number, now: number): number {
  const midnight = (time: number) => new Date(time).setHours(0, 0, 0, 0);
  return Math.round((midnight(now) - midnight(at)) / DAY);
}
