import { describe, expect, test } from 'vitest';
import { anchorOf, firstBelow, isAtEnd, numberIn, placed, restored, wantsMore } from '../../src/talk/scroll';
import type { Box } from '../../src/talk/scroll';

/** Rows of these heights, one below the other, named by letters. */
function rows(heights: Record<string, number>): Box[] {
  let top = 0;
  return Object.entries(heights).map(([key, height]) => {
    const box = { key, top, height };
    top += height;
    return box;
  });
}
const boxIn = (boxes: Box[]) => (key: string) => boxes.find((box) => box.key === key) ?? null;

describe('an anchor', () => {
  const before = rows({ a: 100, b: 50, c: 70, d: 200 });
  const window = { top: 120, height: 120, full: 420 };

  test('has the rows that are seen, and where', () => {
    expect(anchorOf(before, window)).toEqual([
      { key: 'b', offset: -20, end: 30 },
      { key: 'c', offset: 30, end: 100 },
      { key: 'd', offset: 100, end: 300 },
    ]);
  });

  test('holds when rows come before it', () => {
    const after = rows({ x: 500, a: 100, b: 50, c: 70, d: 200 });
    expect(restored(anchorOf(before, window), boxIn(after))).toBe(620);
  });

  test('holds when rows above it grow and others go', () => {
    expect(restored(anchorOf(before, window), boxIn(rows({ a: 130, b: 50, c: 70 })))).toBe(150);
  });

  test('holds by the bottom of a row that loses its head to those before it', () => {
    expect(restored(anchorOf(before, window), boxIn(rows({ x: 500, a: 100, b: 30, c: 70 })), 'bottom')).toBe(600);
  });

  test('holds by the next row when the first is gone', () => {
    expect(restored(anchorOf(before, window), boxIn(rows({ c: 70, d: 200 })))).toBe(-30);
  });

  test('says so when none of its rows is left', () => {
    expect(restored(anchorOf(before, window), boxIn(rows({ y: 10 })))).toBe(null);
    expect(restored(anchorOf([], window), boxIn(before))).toBe(null);
  });
});

test('the number of a place is that of its first row that has one', () => {
  const at = (...keys: string[]) => numberIn(keys.map((key) => ({ key, offset: 0, end: 0 })));
  expect(at('day 12', 'unread', 'message 13', 'notice 14')).toBe(13);
  expect(at('notice 9', 'message 13')).toBe(9);
  expect(at('pending 8f')).toBe(null);
});

test('the end is near when little is below', () => {
  expect(isAtEnd({ top: 460, height: 500, full: 1000 })).toBe(true);
  expect(isAtEnd({ top: 400, height: 500, full: 1000 })).toBe(false);
  expect(isAtEnd({ top: 0, height: 500, full: 300 })).toBe(true);
});

test('more is loaded a screen and a half ahead', () => {
  expect(wantsMore({ top: 700, height: 500, full: 5000 })).toEqual({ earlier: true, later: false });
  expect(wantsMore({ top: 4000, height: 500, full: 5000 })).toEqual({ earlier: false, later: true });
  expect(wantsMore({ top: 2000, height: 500, full: 5000 })).toEqual({ earlier: false, later: false });
});

test('a message that was gone to lies in the middle, the first unread in the upper part', () => {
  const window = { top: 0, height: 400, full: 4000 };
  expect(placed({ top: 1000, height: 100 }, window, 'middle')).toBe(850);
  expect(placed({ top: 1000, height: 1000 }, window, 'middle')).toBe(960);
  expect(placed({ top: 1000, height: 20 }, window, 'upper')).toBe(900);
  expect(placed({ top: 10, height: 20 }, window, 'upper')).toBe(0);
});

test('the first row below a line is found', () => {
  const bottoms = [10, 20, 30];
  const at = (line: number) => firstBelow(3, (index) => bottoms[index] ?? 0, line);
  expect([at(0), at(10), at(29), at(30)]).toEqual([0, 1, 2, 3]);
});
