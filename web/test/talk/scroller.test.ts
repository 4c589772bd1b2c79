// @vitest-environment jsdom
import { beforeEach, describe, expect, test } from 'vitest';
import { Scroller } from '../../src/talk/scroller';

const WINDOW = 500;
let box: HTMLElement;
let list: HTMLElement;
let top = 0;

/** jsdom lays nothing out: rows have the heights that they are given, one below the other. */
function draw(heights: Record<string, number>): void {
  let at = 0;
  list.replaceChildren(
    ...Object.entries(heights).map(([key, height]) => {
      const row = document.createElement('div');
      row.dataset['key'] = key;
      const message = document.createElement('article');
      message.dataset['seq'] = key.split(' ')[1];
      row.append(message);
      const own = at;
      at += height;
      Object.defineProperties(row, { offsetTop: { value: own }, offsetHeight: { value: height } });
      return row;
    }),
  );
  Object.defineProperty(box, 'scrollHeight', { value: Math.max(at, WINDOW), configurable: true });
  box.scrollTop = top;
}

/** Messages of 100 pixels each, by their numbers. */
const messages = (from: number, to: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: to - from + 1 }, (_, index) => [`message ${from + index}`, 100]));

beforeEach(() => {
  top = 0;
  box = document.createElement('div');
  list = document.createElement('div');
  Object.defineProperty(box, 'clientHeight', { value: WINDOW });
  Object.defineProperty(box, 'scrollTop', {
    get: () => top,
    set: (to: number) => {
      top = Math.max(0, Math.min(to, box.scrollHeight - WINDOW));
    },
  });
});

function opened(from: number, to: number): Scroller {
  draw(messages(from, to));
  const scroller = new Scroller(box, list);
  scroller.toEnd();
  return scroller;
}

describe('a reader', () => {
  test('at the end sees what comes', () => {
    const scroller = opened(1, 20);
    draw(messages(1, 23));
    scroller.hold();
    expect([top, scroller.atEnd, scroller.lastSeen()]).toEqual([1800, true, 23]);
  });

  test('elsewhere stays where they are when messages come at both ends', () => {
    const scroller = opened(11, 30);
    box.scrollTop = 730;
    scroller.scrolled();
    draw(messages(1, 40));
    expect(scroller.hold()).toBe(true);
    expect([top, scroller.atEnd]).toEqual([1730, false]);
  });

  test('at a message that has its author above it no more sees the text where it was', () => {
    draw({ 'day 11': 40, ...messages(11, 30), 'message 11': 121 });
    const scroller = new Scroller(box, list);
    scroller.toEnd();
    box.scrollTop = 0;
    scroller.scrolled();
    draw(messages(1, 30));
    for (const edge of ['bottom', 'top'] as const) {
      scroller.hold(edge);
      expect(top).toBe(1100 - 161);
    }
  });

  test('who scrolled in the same moment stays where they scrolled to', () => {
    const scroller = opened(11, 30);
    box.scrollTop = 730;
    scroller.catchUp();
    draw(messages(1, 30));
    scroller.hold();
    expect(top).toBe(1730);
  });

  test('is not carried on when a page comes below the last message that was loaded', () => {
    const scroller = opened(1, 20);
    scroller.endsLive(false);
    expect(scroller.atEnd).toBe(false);
    draw(messages(1, 40));
    scroller.hold();
    scroller.endsLive(true);
    expect([top, scroller.atEnd]).toEqual([1500, false]);
  });

  test('at the end stays there when the window changes with a scroll event', () => {
    const scroller = opened(1, 20);
    draw({ ...messages(1, 20), 'message 20': 400 });
    expect(scroller.scrolled()).toBe(false);
    expect([top, scroller.atEnd]).toEqual([1800, true]);
  });

  test('whose messages are all gone is told so', () => {
    const scroller = opened(1, 20);
    box.scrollTop = 300;
    scroller.scrolled();
    draw(messages(100, 120));
    expect(scroller.hold()).toBe(false);
  });

  test('goes to a message, and back', () => {
    const scroller = opened(1, 40);
    box.scrollTop = 1010;
    scroller.scrolled();
    const place = scroller.place();
    expect(scroller.to('message 31', 'middle')).toBe(true);
    expect(top).toBe(2800);
    expect(scroller.back(place)).toBe(true);
    expect(top).toBe(1010);
    expect(scroller.to('message 99', 'middle')).toBe(false);
  });

  test('who goes back is brought there as what lies below is loaded', () => {
    const scroller = opened(1, 40);
    const place = scroller.place();
    draw(messages(1, 39));
    expect(scroller.back(place)).toBe(true);
    expect(top).toBe(3400);
    draw(messages(1, 45));
    scroller.hold();
    expect(top).toBe(3500);
    draw(messages(1, 60));
    scroller.endsLive(false);
    scroller.hold();
    expect([top, scroller.atEnd]).toEqual([3500, false]);
  });

  test('who scrolls on the way back is brought nowhere', () => {
    const scroller = opened(1, 40);
    const place = scroller.place();
    draw(messages(1, 39));
    scroller.back(place);
    scroller.endsLive(false);
    box.scrollTop = 3000;
    scroller.scrolled();
    draw(messages(1, 45));
    scroller.hold();
    expect(top).toBe(3000);
  });
});
