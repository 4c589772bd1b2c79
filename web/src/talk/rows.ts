// From the items of a stretch to what is drawn: messages joined to the one before, days, the line of the unread.
import type { Item, Message, Notice } from '../lib/client';

export type Row =
  | { kind: 'day'; key: string; at: number }
  | { kind: 'unread'; key: string }
  /** `joined`: its author stands above it already. */
  | { kind: 'message'; key: string; message: Message; joined: boolean }
  | { kind: 'notice'; key: string; notice: Notice };

const TOGETHER = 5 * 60_000;

/** The rows of `items`, in order. Rows of `before` that are still the same are the same objects. */
export function rowsOf(items: readonly Item[], firstUnread: number | null, before: readonly Row[] = []): Row[] {
  const old = new Map(before.map((row) => [row.key, row]));
  const rows: Row[] = [];
  let last: Message | null = null;
  let day = '';
  let lineDrawn = firstUnread === null;
  for (const item of items) {
    if (item.kind === 'message' && dayOf(item.sent) !== day) {
      day = dayOf(item.sent);
      rows.push(keep(old, { kind: 'day', key: `day ${item.seq}`, at: item.sent }));
      last = null;
    }
    if (!lineDrawn && firstUnread !== null && item.seq >= firstUnread) {
      rows.push(keep(old, { kind: 'unread', key: 'unread' }));
      lineDrawn = true;
      last = null;
    }
    if (item.kind === 'notice') {
      rows.push(keep(old, { kind: 'notice', key: `notice ${item.seq}`, notice: item }));
      last = null;
      continue;
    }
    rows.push(keep(old, { kind: 'message', key: `message ${item.seq}`, message: item, joined: isJoined(last, item) }));
    last = item;
  }
  return rows;
}

/** Whether a message goes on where the same author left off. */
export function isJoined(before: Message | null, message: Message): boolean {
  if (before === null || before.from !== message.from || message.replyTo !== null) return false;
  return message.sent - before.sent < TOGETHER && dayOf(before.sent) === dayOf(message.sent);
}

/** The reader's own calendar day. */
export function dayOf(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

function keep(old: ReadonlyMap<string, Row>, row: Row): Row {
  const before = old.get(row.key);
  if (!before) return row;
  const same =
    row.kind === 'message'
      ? before.kind === 'message' && before.message === row.message && before.joined === row.joined
      : row.kind === 'notice'
        ? before.kind === 'notice' && before.notice === row.notice
        : true;
  return same ? before : row;
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
