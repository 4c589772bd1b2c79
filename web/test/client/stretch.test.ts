import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/lib/client';
import { covers, endOf, fromBack, lastPage, messageIn, pageAround, seenTo, WINDOW, withEarlier, withEntries, withLater, type Page } from '../../src/lib/client/stretch';
import type { Entry } from '../../src/lib/client/wire';

const SENT = '2026-03-01T09:00:00Z';

function message(seq: number, text = `m${seq}`): Message {
  return { kind: 'message', room: 'r', seq, id: `i${seq}`, from: 'bob', text, sent: Date.parse(SENT), replyTo: null, edited: null, deleted: false, reactions: new Map() };
}

function pageOf(from: number, to: number, head: number, more: boolean): Page {
  return { messages: Array.from({ length: to - from + 1 }, (_, index) => message(from + index)), head, more };
}

const came = (seq: number): Entry => ({ type: 'new_message', payload: { room: 'r', seq, id: `i${seq}`, from: 'bob', message: `m${seq}`, sent: SENT } });
const edited = (seq: number, target: number, text: string): Entry => ({ type: 'message_edited', payload: { room: 'r', seq, target, from: 'bob', message: text, edited: SENT } });

describe('a window', () => {
  it('begins at the end with the last messages', () => {
    expect(lastPage(pageOf(5, 9, 12, true))).toMatchObject({ from: 5, to: 12, hasEarlier: true, hasLater: false });
    expect(lastPage({ messages: [], head: 3, more: false })).toMatchObject({ from: 1, to: 3, hasEarlier: false });
    expect(endOf(7)).toEqual({ items: [], from: 8, to: 7, hasEarlier: true, hasLater: false });
  });

  it('knows of which side of a page around a number there is more', () => {
    const half = { ...pageOf(91, 150, 400, true) };
    expect(pageAround(half, 140, 100)).toMatchObject({ from: 91, to: 400, hasEarlier: true, hasLater: false });
    expect(pageAround(pageOf(51, 150, 400, true), 100, 100)).toMatchObject({ from: 51, to: 150, hasEarlier: true, hasLater: true });
    expect(pageAround(pageOf(1, 60, 60, false), 10, 100)).toMatchObject({ from: 1, to: 60, hasEarlier: false, hasLater: false });
  });

  it('lets the other end go when there are too many', () => {
    let window = lastPage(pageOf(951, 1000, 1000, true));
    for (let first = 951; first > 1; first -= 100) window = withEarlier(window, pageOf(Math.max(1, first - 100), first - 1, 1000, first > 101));
    expect(window).toMatchObject({ from: 1, to: WINDOW, hasEarlier: false, hasLater: true });
    expect(window.items).toHaveLength(WINDOW);
    window = withLater(window, pageOf(WINDOW + 1, WINDOW + 100, 1000, true));
    expect(window).toMatchObject({ from: 101, to: WINDOW + 100, hasEarlier: true, hasLater: true });
  });

  it('takes what comes at its end only if that is the end of the log', () => {
    const end = lastPage(pageOf(1, 5, 5, false));
    expect(withEntries(end, [came(6), came(7)])).toMatchObject({ to: 7, items: { length: 7 } });
    const middle = fromBack(end, 3);
    expect(withEntries(middle, [came(6)])).toBe(middle);
  });

  it('is the same when an entry changes nothing in it', () => {
    const window = lastPage(pageOf(5, 9, 9, true));
    expect(withEntries(window, [edited(8, 6, 'old')])).toBe(window);
  });

  it('does not work in what a page has already', () => {
    const window = lastPage({ messages: [{ ...message(3), text: 'second edit' }], head: 5, more: false });
    const now = withEntries(window, [edited(4, 3, 'first edit'), edited(5, 3, 'second edit'), edited(6, 3, 'third edit')]);
    expect(messageIn(now, 3)?.text).toBe('third edit');
    expect(messageIn(withEntries(window, [edited(4, 3, 'first edit')]), 3)?.text).toBe('second edit');
  });

  it('shows a message as taken back whose texts are gone, before the entry that says so', () => {
    const window = withEntries(endOf(0), [{ type: 'new_message', payload: { ...came(1).payload, message: '' } as never }]);
    expect(messageIn(window, 1)).toMatchObject({ deleted: true, text: '' });
  });

  it('says how far one has read who has seen an item', () => {
    const window = withEntries(lastPage({ messages: [message(3), message(6)], head: 9, more: false }), []);
    expect(seenTo(window, 3)).toBe(5);
    expect(seenTo(window, 6)).toBe(9);
    expect(seenTo(fromBack(window, 1), 3)).toBe(3);
    expect(covers(window, 9)).toBe(true);
    expect(covers(window, 10)).toBe(false);
  });
});
