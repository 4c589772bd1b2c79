// Refusals in words, and names as people see them.
import { fromStore } from 'svelte/store';
import { client } from '../lib/state/client';
import { formatList, plural, tOr } from '../lib/i18n';

const kept = new Map<string, { readonly current: string }>();

/** A name as shown, for texts: what reads it is made anew when it becomes known. */
export function nameOf(name: string): string {
  let shown = kept.get(name);
  if (!shown) {
    shown = fromStore(client.displayName(name));
    kept.set(name, shown);
  }
  return shown.current || name;
}

/** `ada, bob and 3 others`. */
export function namesOf(names: readonly string[], most = 20): string {
  const shown = names.slice(0, most).map(nameOf);
  const others = names.length - shown.length;
  return formatList(others > 0 ? [...shown, plural('talk.and_others', others)] : shown);
}

/** Why something was refused, in the language of the page. */
export function reasonOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return tOr(`common.error_${String(code)}`, typeof message === 'string' && message ? message : tOr('common.error_unknown', ''));
}

/** Text into the clipboard, also where the page is not served over TLS. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'unseen';
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return done;
}
