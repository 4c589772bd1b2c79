// From the items of a stretch to what is drawn: messages joined to the one before, days, the line of the unread.
import type { Item, Message, Notice, RoomSummary, Stretch } from '../lib/client';

export type Row =
  | { kind: 'day'; key: string; at: number }
  | { kind: 'unread'; key: string }
  /** `joined`: its author stands above it already. */
  | { kind: 'message'; key: string; message: Message; joined: boolean }
  | { kind: 'notice'; key: string; notice: Notice };

const TOGETHER = 5 * 60_000;

/** What was drawn of an item. Items never change: another text is another object. */
interface Drawn {
  /** The reader's calendar day of a message. */
  day: string;
  alone?: Row;
  joined?: Row;
  line?: Row;
}

const drawn = new WeakMap<Item, Drawn>();
const UNREAD: Row = { kind: 'unread', key: 'unread' };

/** The rows of `items`, in order. For the same item it is the same row each time: a page draws only what is new. */
export function rowsOf(items: readonly Item[], firstUnread: number | null): Row[] {
  const rows: Row[] = [];
  let last: Message | null = null;
  let day = '';
  let line = firstUnread ?? Infinity;
  for (const item of items) {
    const known = drawnOf(item);
    if (item.kind === 'message' && known.day !== day) {
      day = known.day;
      rows.push((known.line ??= { kind: 'day', key: `day ${item.seq}`, at: item.sent }));
      last = null;
    }
    if (item.seq >= line) {
      rows.push(UNREAD);
      line = Infinity;
      last = null;
    }
    if (item.kind === 'notice') {
      rows.push((known.alone ??= { kind: 'notice', key: `notice ${item.seq}`, notice: item }));
      last = null;
      continue;
    }
    rows.push(messageRow(known, item, isJoined(last, item)));
    last = item;
  }
  return rows;
}

function messageRow(known: Drawn, message: Message, joined: boolean): Row {
  const key = `message ${message.seq}`;
  return joined ? (known.joined ??= { kind: 'message', key, message, joined }) : (known.alone ??= { kind: 'message', key, message, joined });
}

function drawnOf(item: Item): Drawn {
  let known = drawn.get(item);
  if (!known) {
    known = { day: item.kind === 'message' ? dayOf(item.sent) : '' };
    drawn.set(item, known);
  }
  return known;
}

/** Whether a message goes on where the same author left off. */
export function isJoined(before: Message | null, message: Message): boolean {
  if (before === null || before.from !== message.from || message.replyTo !== null) return false;
  return message.sent - before.sent < TOGETHER && drawnOf(before).day === drawnOf(message).day;
}

/** The reader's own calendar day. */
export function dayOf(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/** Whether a message is folded until somebody asks for all of it. */
export function isLong(text: string): boolean {
  return text.length > 2000 || (text.length > 200 && text.split('\n', 41).length > 40);
}

/** The message of this number among `items`, which are in order. */
export function messageAt(items: readonly Item[], seq: number): Message | null {
  let low = 0;
  let high = items.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (!item) break;
    if (item.seq === seq) return item.kind === 'message' ? item : null;
    if (item.seq < seq) low = middle + 1;
    else high = middle - 1;
  }
  return null;
}

/** Whether the last item is a message of somebody's. */
export function endsWith(items: readonly Item[], name: string): boolean {
  const last = items.at(-1);
  return last?.kind === 'message' && last.from === name;
}

/** How many of the messages after `seen` are others'. */
export function countAfter(items: readonly Item[], seen: number, me: string): number {
  let count = 0;
  for (let index = items.length - 1; index >= 0; index -= 1) {
    const item = items[index];
    if (!item || item.seq <= seen) break;
    if (item.kind === 'message' && item.from !== me && !item.deleted) count += 1;
  }
  return count;
}

/** How many messages of others there are that were neither read nor, up to `seen`, in sight. */
export function newerThan(stretch: Stretch, seen: number, room: Pick<RoomSummary, 'read' | 'unread'> | null, me: string): number {
  const { items } = stretch;
  const after = countAfter(items, Math.max(seen, room?.read ?? 0), me);
  if (!stretch.hasLater) return after;
  if (room === null) return after + stretch.newer;
  // All that is unread, but for what is here and was in sight.
  return Math.max(after, room.unread - (countAfter(items, room.read, me) - after));
}
