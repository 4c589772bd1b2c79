import { expect, test } from 'vitest';
import type { RoomSummary } from '../../src/lib/client';
import { badgeOf, short, titleOf, waitingIn } from '../../src/lib/state/title';

const room = (some: Partial<RoomSummary>): RoomSummary => ({
  room: 'general', kind: 'public', topic: '', archived: false, role: 'member', others: [], head: 0, read: 0, unread: 0, mentions: 0, active: 0, online: false, ...some,
});

test('the title says how many wait, where one is, and whose page it is', () => {
  expect(titleOf(3, 'general', 'Hubbub')).toBe('(3) general · Hubbub');
  expect(titleOf(0, 'general', 'Hubbub')).toBe('general · Hubbub');
  expect(titleOf(0, null, 'Hubbub')).toBe('Hubbub');
  expect(titleOf(1200, null, 'Hubbub')).toBe('(99+) Hubbub');
});

test('a number in a small place has three characters at most', () => {
  expect([0, 7, 99, 100, 100_000].map(short)).toEqual(['0', '7', '99', '99+', '99+']);
});

test('what calls for somebody is mentions, and everything in direct rooms', () => {
  const rooms = [room({ unread: 5, mentions: 2 }), room({ kind: 'direct', unread: 3 }), room({ kind: 'private', unread: 4 })];
  expect(waitingIn(rooms)).toEqual({ unread: 12, calls: 5 });
});

test('archived rooms wait for nobody', () => {
  expect(waitingIn([room({ unread: 5, mentions: 1, archived: true })])).toEqual({ unread: 0, calls: 0 });
});

test('the icon has a number for what calls for somebody, a dot for what is only new, nothing for nothing', () => {
  const waiting = [{ unread: 5, calls: 2 }, { unread: 500, calls: 400 }, { unread: 5, calls: 0 }, { unread: 0, calls: 0 }];
  expect(waiting.map(badgeOf)).toEqual(['2', '99+', 'dot', '']);
});
