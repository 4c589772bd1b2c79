import { describe, expect, test } from 'vitest';
import type { Item, Message, Notice, Stretch } from '../../src/lib/client/model';
import { countAfter, isLong, messageAt, newerThan, rowsOf } from '../../src/talk/rows';

const MORNING = new Date(2026, 2, 1, 9, 0).getTime();
const MINUTE = 60_000;

function message(seq: number, from: string, sent = MORNING, more: Partial<Message> = {}): Message {
  return { kind: 'message', room: 'general', seq, id: String(seq), from, text: 'x', sent, replyTo: null, edited: null, deleted: false, reactions: new Map(), ...more };
}
const notice = (seq: number): Notice => ({ kind: 'notice', room: 'general', seq, what: { type: 'joined', user: 'bob', by: null } });

/** A row in a word: `+` is joined to the one before. */
function drawn(items: readonly Item[], firstUnread: number | null = null): string {
  return rowsOf(items, firstUnread)
    .map((row) => (row.kind === 'message' ? `${row.joined ? '+' : ''}${row.message.seq}` : row.kind === 'notice' ? `n${row.notice.seq}` : row.kind))
    .join(' ');
}

describe('rows', () => {
  test('join messages of one author within five minutes of the one before', () => {
    expect(drawn([message(1, 'ada'), message(2, 'ada', MORNING + 4 * MINUTE), message(3, 'ada', MORNING + 8 * MINUTE), message(4, 'ada', MORNING + 13 * MINUTE), message(5, 'bob', MORNING + 13 * MINUTE)])).toBe('day 1 +2 +3 4 5');
  });

  test('begin anew after a notice, at a reply and at the line of the unread', () => {
    const items = [message(1, 'ada'), notice(2), message(3, 'ada'), message(4, 'ada', MORNING, { replyTo: 1 }), message(5, 'ada'), message(6, 'ada')];
    expect(drawn(items, 6)).toBe('day 1 n2 3 4 +5 unread 6');
  });

  test('have a line for each day, and none twice', () => {
    const midnight = new Date(2026, 2, 2).getTime();
    expect(drawn([message(1, 'ada', midnight - MINUTE), message(2, 'ada', midnight), message(3, 'ada', midnight + MINUTE)])).toBe('day 1 day 2 +3');
  });

  test('have keys that are never there twice, even if clocks went back', () => {
    const day = 24 * 60 * MINUTE;
    const keys = rowsOf([message(1, 'ada'), message(2, 'ada', MORNING - day), message(3, 'ada')], null).map((row) => row.key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('put the line at the next entry if the first unread one is not shown', () => {
    expect(drawn([message(1, 'ada'), message(5, 'bob')], 3)).toBe('day 1 unread 5');
    expect(drawn([message(1, 'ada')], 3)).toBe('day 1');
  });

  test('are the same objects where nothing changed', () => {
    const items = [message(1, 'ada'), message(2, 'bob')];
    const before = rowsOf(items, null);
    const after = rowsOf([items[0] as Item, message(2, 'bob'), message(3, 'bob')], null);
    expect(after.map((row, index) => row === before[index])).toEqual([true, true, false, false]);
  });
});

test('new messages are those of others after what was seen', () => {
  const items = [message(1, 'ada'), message(2, 'bob'), message(3, 'olga'), notice(4), message(5, 'ada', MORNING, { deleted: true }), message(6, 'ada')];
  expect(countAfter(items, 1, 'olga')).toBe(2);
  expect(countAfter(items, 6, 'olga')).toBe(0);
});

test('messages that were read are not new to one who comes from a link, and those beyond the stretch are', () => {
  const items = [1, 2, 3, 4].map((seq) => message(seq, 'bob'));
  const end: Stretch = { state: 'ready', error: null, items, hasEarlier: true, hasLater: false, newer: 0, firstUnread: null };
  const inside = { ...end, hasLater: true, newer: 40 };
  expect(newerThan(end, 2, { read: 0, unread: 4 }, 'ada')).toBe(2);
  expect(newerThan(end, 2, { read: 4, unread: 0 }, 'ada')).toBe(0);
  expect(newerThan(inside, 2, { read: 44, unread: 0 }, 'ada')).toBe(0);
  expect(newerThan(inside, 2, { read: 43, unread: 1 }, 'ada')).toBe(1);
  expect(newerThan(inside, 2, { read: 0, unread: 30 }, 'ada')).toBe(28);
  expect(newerThan(inside, 2, null, 'ada')).toBe(42);
});

test('long messages fold', () => {
  expect(isLong('a'.repeat(2001))).toBe(true);
  expect(isLong('word\n'.repeat(50))).toBe(true);
  expect(isLong('word\n'.repeat(20))).toBe(false);
});

test('a message is found by its number, and a notice is none', () => {
  const items = [message(2, 'ada'), notice(5), message(9, 'bob')];
  expect([1, 2, 5, 9, 10].map((seq) => messageAt(items, seq)?.seq ?? null)).toEqual([null, 2, null, 9, null]);
  expect(messageAt([], 1)).toBe(null);
});
