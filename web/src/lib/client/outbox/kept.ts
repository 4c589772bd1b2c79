// What the outbox keeps, and in which order it is sent. Pure.

import type { Pending } from '../model';

/** A message in the outbox, as it is stored: of one user on one server. */
export interface Kept {
  id: string;
  user: string;
  room: string;
  text: string;
  replyTo: number | null;
  /** When it was written, ms since 1970; each later than the one before it, so it is the order too. */
  at: number;
  refused: { code: string; message: string } | null;
}

/** When something written `now` is said to be written: after everything that is there. */
export function timeAfter(kept: Iterable<Kept>, now: number): number {
  let at = now;
  for (const item of kept) at = Math.max(at, item.at + 1);
  return at;
}

export function inOrder(kept: Iterable<Kept>): Kept[] {
  return [...kept].sort((one, other) => one.at - other.at || (one.id < other.id ? -1 : 1));
}

/** Of each room the first that waits, if none before it is on its way: within a room, one after the other. */
export function nextToSend(kept: Iterable<Kept>, onTheirWay: ReadonlySet<string>): Kept[] {
  const seen = new Set<string>();
  const next: Kept[] = [];
  for (const item of inOrder(kept)) {
    if (item.refused !== null || seen.has(item.room)) continue;
    seen.add(item.room);
    if (!onTheirWay.has(item.id)) next.push(item);
  }
  return next;
}

export function pendingFrom(item: Kept, onItsWay: boolean): Pending {
  const { id, room, text, replyTo, at } = item;
  const state = item.refused !== null ? 'refused' : onItsWay ? 'sent' : 'waiting';
  return { id, room, text, replyTo, at, state, error: item.refused };
}

/** With what is no Unicode text (half of a pair) replaced: it can't travel as UTF-8. */
export function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}
