// Where the reader is in a list that grows and shrinks at both ends, and how to keep them there.

/** A row as it lies: its top and height in the list, in pixels. */
export interface Box {
  key: string;
  top: number;
  height: number;
}

/** Rows that were seen, and how far below the top edge of the window each began and ended. */
export type Anchor = readonly { key: string; offset: number; end: number }[];

/**
 * Which edge of a row stays: `top` when rows change in themselves, so that one opens downwards; `bottom` when others
 * come before it, for the first of a list has its author and day above it, and loses them then.
 */
export type Edge = 'top' | 'bottom';

export interface Window {
  /** How far the list is scrolled. */
  top: number;
  height: number;
  /** Of all that can be scrolled over. */
  full: number;
}

const NEAR_END = 48;
/** Screens of what is not seen that are kept loaded on both sides. */
const AHEAD = 1.5;

export function isAtEnd(window: Window): boolean {
  return window.full - window.top - window.height <= NEAR_END;
}

/** Whether it is time to load more at each end. */
export function wantsMore(window: Window): { earlier: boolean; later: boolean } {
  const margin = window.height * AHEAD;
  return { earlier: window.top < margin, later: window.full - window.top - window.height < margin };
}

/** The index of the first box that ends below `line`; the length if none does. */
export function firstBelow(count: number, bottomOf: (index: number) => number, line: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bottomOf(middle) > line) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What to remember: each row in the window, the first first. If that one goes, the next holds. */
export function anchorOf(boxes: readonly Box[], window: Window): Anchor {
  const seen: { key: string; offset: number; end: number }[] = [];
  const first = firstBelow(boxes.length, (index) => bottom(boxes[index]), window.top);
  for (let index = first; index < boxes.length; index += 1) {
    const box = boxes[index];
    if (!box || box.top >= window.top + window.height) break;
    seen.push({ key: box.key, offset: box.top - window.top, end: bottom(box) - window.top });
  }
  return seen;
}

/** Where to scroll so that the first row of the anchor that is still there is where it was; null: none is. */
export function restored(anchor: Anchor, boxOf: (key: string) => Box | null, edge: Edge = 'top'): number | null {
  for (const { key, offset, end } of anchor) {
    const box = boxOf(key);
    if (box !== null) return edge === 'top' ? box.top - offset : bottom(box) - end;
  }
  return null;
}

/** The number in the log of the first row of the anchor that has one; null: none has. */
export function numberIn(anchor: Anchor): number | null {
  for (const { key } of anchor) {
    const number = /^(?:message|notice) (\d+)$/.exec(key)?.[1];
    if (number !== undefined) return Number(number);
  }
  return null;
}

/** Where to scroll so that a row lies in the upper third, or in the middle if it is a message that was asked for. */
export function placed(box: { top: number; height: number }, window: Window, where: 'upper' | 'middle'): number {
  const room = window.height - box.height;
  const above = where === 'upper' ? window.height * 0.25 : Math.max(room / 2, window.height * 0.1);
  return Math.max(0, box.top - above);
}

function bottom(box: Box | undefined): number {
  return box ? box.top + box.height : 0;
}
