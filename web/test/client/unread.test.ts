import { describe, expect, it } from 'vitest';
import {
  counterOf,
  entriesCame,
  firstUnreadOf,
  headMoved,
  mentionsOf,
  pageKnown,
  readUpTo,
  serverCounted,
  unreadOf,
  type Counted,
  type Counter,
} from '../../src/lib/client/unread';

const said = (seq: number, mentions = false): Counted => ({ seq, loud: true, mentions, deletes: null });
const quiet = (seq: number): Counted => ({ seq, loud: false, mentions: false, deletes: null });
const deletes = (seq: number, target: number): Counted => ({ seq, loud: false, mentions: false, deletes: target });
const counts = (counter: Counter) => [unreadOf(counter), mentionsOf(counter), firstUnreadOf(counter)];

describe('a count', () => {
  it('is the server’s where nothing else is known', () => {
    expect(counts(counterOf(10, 7, 1))).toEqual([3, 1, 8]);
    expect(counts(counterOf(10, 10, 0))).toEqual([0, 0, null]);
    expect(counts(counterOf(0, 0, 0))).toEqual([0, 0, null]);
  });

  it('is exact where the entries are known', () => {
    const counter = pageKnown(7, 1, 5, 12, [said(5), said(9, true), quiet(10), said(11)]);
    expect(counts(counter)).toEqual([2, 1, 9]);
  });

  it('is by entries before what is known', () => {
    const counter = pageKnown(2, 3, 10, 12, [said(10, true), quiet(11), said(12)]);
    expect(counts(counter)).toEqual([7 + 2, 3, 3]);
  });

  it('goes on with what comes, and up by messages of others alone', () => {
    const counter = entriesCame(counterOf(10, 10, 0), [quiet(11), said(12, true), quiet(13), said(14)]);
    expect(counts(counter)).toEqual([2, 1, 12]);
    expect(counter.read).toBe(11); // one's own entry with nothing unread before it
  });

  it('goes down when an unread message is taken back', () => {
    const counter = entriesCame(counterOf(10, 10, 0), [said(11, true), said(12), deletes(13, 11)]);
    expect(counts(counter)).toEqual([1, 0, 12]);
  });

  it('knows an entry once', () => {
    const counter = entriesCame(counterOf(10, 10, 0), [said(11), said(11)]);
    expect(unreadOf(entriesCame(counter, [said(11)]))).toBe(1);
  });

  it('counts what the server tells of a room that is not entered', () => {
    const counter = headMoved(counterOf(10, 10, 0), 13, 2);
    expect(counts(counter)).toEqual([3, 2, 11]);
    expect(headMoved(counter, 12, 0)).toBe(counter);
  });

  it('does not count a mention twice that the server and this client have counted', () => {
    const behind = headMoved(counterOf(10, 10, 0), 12, 1);
    const caught = entriesCame(behind, [said(11), said(12, true)]);
    expect(mentionsOf(serverCounted(caught, 12, 10, 1))).toBe(1);
  });
});

describe('reading', () => {
  const counter = entriesCame(counterOf(10, 10, 0), [said(11, true), said(12), quiet(13), said(14, true), quiet(15)]);

  it('takes away what was read, and what is no message after it', () => {
    expect(counts(readUpTo(counter, 12, null))).toEqual([1, 1, 14]);
    expect(readUpTo(counter, 12, null).read).toBe(13);
    expect(counts(readUpTo(counter, 14, null))).toEqual([0, 0, null]);
    expect(readUpTo(counter, 14, null).read).toBe(15);
  });

  it('never goes back', () => {
    const read = readUpTo(counter, 14, null);
    expect(counts(readUpTo(read, 11, null))).toEqual([0, 0, null]);
  });

  it('keeps a mention that came after the server had counted', () => {
    expect(mentionsOf(readUpTo(counter, 12, 0))).toBe(1);
  });

  it('forgets mentions that only the server knew, when all was read', () => {
    expect(counts(readUpTo(counterOf(10, 5, 3), 10, null))).toEqual([0, 0, null]);
    expect(counts(readUpTo(counterOf(10, 5, 3), 7, 1))).toEqual([3, 1, 8]);
  });
});

describe('a great many', () => {
  it('takes no memory without end, and the count is right', () => {
    let many = counterOf(0, 0, 0);
    for (let seq = 1; seq <= 10_000; seq++) many = entriesCame(many, [said(seq)]);
    expect(unreadOf(many)).toBe(10_000);
    expect(many.loud.length).toBeLessThanOrEqual(2_000);
  });
});
