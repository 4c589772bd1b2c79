// Which room was open last in this browser, for each user apart: where `/` leads.
import { keptFor } from './settings.svelte';
import { shelf } from './storage';

const placeOf = (user: string): string => `hubbub.room ${user}`;

export function lastRoom(): string | null {
  const user = keptFor();
  return user === null ? null : shelf.get(placeOf(user));
}

export function rememberRoom(name: string): void {
  const user = keptFor();
  if (user !== null) shelf.set(placeOf(user), name);
}

export function forgetRoom(): void {
  const user = keptFor();
  if (user !== null) shelf.remove(placeOf(user));
}
