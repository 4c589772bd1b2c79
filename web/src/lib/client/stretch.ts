// A stretch of a room's log without a hole, as plain values: pages are joined to it, entries applied. No I/O.

import { messageFrom, noticeFrom } from './decode';
import type { Item, Message } from './model';
import type * as wire from './wire';

/** The most items that a stretch has. */
export const WINDOW = 400;

/** A message, with the number of the last entry that is worked into it: what is not newer changes nothing. */
export interface HeldMessage extends Message {
  readonly asOf: number;
}

export type Held = HeldMessage | Exclude<Item, Message>;

/** Every entry from `from` to `to` is worked in; those that are shown are the items. */
export interface Window {
  readonly items: readonly Held[];
  readonly from: number;
  readonly to: number;
  readonly hasEarlier: boolean;
  readonly hasLater: boolean;
}

/** Messages as they were when the log's last entry was `head`. `more`: in the direction asked for. */
export interface Page {
  readonly messages: readonly Message[];
  readonly head: number;
  readonly more: boolean;
}

/** Nothing, at the end of the log. */
export function endOf(head: number): Window {
  return { items: [], from: head + 1, to: head, hasEarlier: head > 0, hasLater: false };
}

/** The last messages. */
export function lastPage(page: Page): Window {
  const items = held(page);
  const first = items[0]?.seq ?? page.head + 1;
  return { items, from: page.more ? first : 1, to: page.head, hasEarlier: page.more, hasLater: false };
}

/** Some messages before `around`, it, and some after it; the server says only whether there are more on either side. */
export function pageAround(page: Page, around: number, limit: number): Window {
  const items = held(page);
  const later = page.messages.filter((message) => message.seq > around).length;
  const size = page.messages.reduce((sum, message) => sum + message.text.length * 3 + 300, 0);
  const short = size < 100_000; // then no side was cut for its size
  const earlierAll = short && items.length - later < limit - Math.floor(limit / 2);
  const laterAll = short && later < Math.floor(limit / 2);
  const first = items[0]?.seq ?? around;
  const last = items.at(-1)?.seq ?? around;
  const hasEarlier = page.more && !earlierAll && first > 1;
  const hasLater = page.more && !laterAll && last < page.head;
  return { items, from: hasEarlier ? first : 1, to: hasLater ? last : page.head, hasEarlier, hasLater };
}

/** With a page of what is before it. The end is let go if there are too many. */
export function withEarlier(window: Window, page: Page): Window {
  const before = held(page).filter((item) => item.seq < window.from);
  const from = page.more && before[0] !== undefined ? before[0].seq : page.more ? window.from : 1;
  const all = [...before, ...window.items];
  if (all.length <= WINDOW) return { ...window, items: all, from, hasEarlier: page.more };
  const items = all.slice(0, WINDOW);
  return { items, from, to: items.at(-1)?.seq ?? from, hasEarlier: page.more, hasLater: true };
}

/** With a page of what is after it. The beginning is let go if there are too many. */
export function withLater(window: Window, page: Page): Window {
  const after = held(page).filter((item) => item.seq > window.to);
  const to = page.more ? (after.at(-1)?.seq ?? window.to) : Math.max(window.to, page.head);
  return fromFront({ ...window, items: [...window.items, ...after], to, hasLater: page.more }, WINDOW);
}

/** With entries applied: what is next at its end is added, what is about one of its messages changes that. */
export function withEntries(window: Window, entries: readonly wire.Entry[], most = WINDOW): Window {
  const items = [...window.items];
  let { to } = window;
  let changed = false;
  for (const entry of entries) {
    changed = change(items, entry) || changed;
    if (window.hasLater || entry.payload.seq <= to) continue;
    to = entry.payload.seq;
    const item = itemOf(entry);
    if (item !== null) items.push(item);
    changed = true;
  }
  return changed ? fromFront({ ...window, items, to }, most) : window;
}

/** At most the last `most` items. */
export function fromFront(window: Window, most: number): Window {
  const over = window.items.length - most;
  if (over <= 0) return window;
  const items = window.items.slice(over);
  return { ...window, items, from: items[0]?.seq ?? window.to + 1, hasEarlier: true };
}

/** At most the first `most` items, for a reader who is not at the end: nothing vanishes above them. */
export function fromBack(window: Window, most: number): Window {
  if (window.items.length <= most) return window;
  const items = window.items.slice(0, most);
  return { ...window, items, to: items.at(-1)?.seq ?? window.from, hasLater: true };
}

/** Whether the entry numbered `seq` is worked in. */
export function covers(window: Window, seq: number): boolean {
  return seq >= window.from && seq <= window.to;
}

/** The message of this number, if it is in the window. */
export function messageIn(window: Window, seq: number): HeldMessage | null {
  const item = window.items[place(window.items, seq)];
  return item?.kind === 'message' && item.seq === seq ? item : null;
}

/** How far somebody has read who has seen the items up to `seq`: to the next item, for what is between is not shown. */
export function seenTo(window: Window, seq: number): number {
  const next = window.items.find((item) => item.seq > seq);
  if (next !== undefined) return next.seq - 1 >= seq ? next.seq - 1 : seq;
  return window.hasLater ? Math.max(seq, window.items.at(-1)?.seq ?? seq) : Math.max(seq, window.to);
}

function held(page: Page): HeldMessage[] {
  return page.messages.map((message) => ({ ...message, asOf: page.head }));
}

function itemOf(entry: wire.Entry): Held | null {
  if (entry.type === 'new_message') return { ...messageFrom(entry.payload), asOf: entry.payload.seq };
  return noticeFrom(entry);
}

/** Work an edit, a deletion or a reaction into the message that it is about; false if that is not here. */
function change(items: Held[], entry: wire.Entry): boolean {
  if (entry.type !== 'message_edited' && entry.type !== 'message_deleted' && entry.type !== 'reacted') return false;
  const at = place(items, entry.payload.target);
  const message = items[at];
  if (message?.kind !== 'message' || message.seq !== entry.payload.target || message.asOf >= entry.payload.seq) return false;
  items[at] = { ...changed(message, entry), asOf: entry.payload.seq };
  return true;
}

type Change = Extract<wire.Entry, { type: 'message_edited' | 'message_deleted' | 'reacted' }>;

function changed(message: HeldMessage, entry: Change): HeldMessage {
  switch (entry.type) {
    case 'message_edited': {
      // Empty: the message was taken back later in the log, and its texts are gone.
      const gone = entry.payload.message === '';
      return { ...message, text: entry.payload.message, edited: Date.parse(entry.payload.edited), deleted: message.deleted || gone };
    }
    case 'message_deleted':
      return { ...message, text: '', deleted: true, reactions: new Map() };
    case 'reacted':
      return { ...message, reactions: reacted(message.reactions, entry.payload) };
  }
}

function reacted(before: Message['reactions'], { emoji, from, remove }: wire.Reacted): Message['reactions'] {
  const reactions = new Map(before);
  const others = (reactions.get(emoji) ?? []).filter((name) => name !== from);
  const names = remove === true ? others : [...others, from];
  if (names.length === 0) reactions.delete(emoji);
  else reactions.set(emoji, names);
  return reactions;
}

/** The index of the first item with a number of at least `seq`. */
function place(items: readonly Held[], seq: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((items[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
