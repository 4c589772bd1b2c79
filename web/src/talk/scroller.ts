// Holds the reader's place in the list while it changes. All that touches the list's geometry is here.
import { anchorOf, firstBelow, isAtEnd, placed, restored, wantsMore } from './scroll';
import type { Anchor, Box, Edge, Window } from './scroll';

export class Scroller {
  /** Follows the end: set by where the reader scrolls to, not by what comes. */
  atEnd = true;
  /** Whether the list ends where the room ends now: else there is no end to follow. */
  private live = true;
  private anchor: Anchor = [];
  /** Where the reader goes back to, until it is reached: what has to be below it, or above, may have to be loaded first. */
  private goal: Anchor | null = null;
  private full = 0;
  private height = 0;
  private top = 0;

  /** `list` holds the rows, each with a `data-key`; `box` scrolls. */
  constructor(
    private readonly box: HTMLElement,
    private readonly list: HTMLElement,
  ) {}

  window(): Window {
    return { top: this.box.scrollTop, height: this.box.clientHeight, full: this.box.scrollHeight };
  }

  /** The reader scrolled. False: the list's size changed with it, and the place was held instead. */
  scrolled(): boolean {
    if (this.box.scrollHeight !== this.full || this.box.clientHeight !== this.height) {
      this.hold();
      return false;
    }
    // Who scrolls by hand does not want to be brought anywhere any more.
    if (Math.abs(this.box.scrollTop - this.top) >= 1) this.goal = null;
    this.note();
    return true;
  }

  /** Before the list is changed: a scroll whose event has not come yet counts. */
  catchUp(): void {
    if (this.box.scrollTop !== this.top) this.scrolled();
  }

  /** After the list or the window changed: the reader sees what they saw. False: nothing of that is left. */
  hold(edge: Edge = 'top'): boolean {
    if (this.goal !== null && this.approach(this.goal)) return true;
    let held = true;
    if (this.atEnd) this.box.scrollTop = this.box.scrollHeight;
    else {
      const top = restored(this.anchor, (key) => this.boxOf(key), edge);
      held = top !== null;
      if (top !== null && Math.abs(top - this.box.scrollTop) >= 0.5) this.box.scrollTop = top;
    }
    this.measure();
    // Its first row begins elsewhere now.
    if (edge === 'bottom' && held) this.anchor = this.seen();
    return held;
  }

  /** To be said after the list was changed and held. */
  endsLive(live: boolean): void {
    if (live === this.live) return;
    this.live = live;
    this.note();
  }

  toEnd(): void {
    this.goal = null;
    this.box.scrollTop = this.box.scrollHeight;
    this.note();
  }

  /** False: there is no such row. */
  to(key: string, where: 'upper' | 'middle'): boolean {
    const box = this.boxOf(key);
    if (!box) return false;
    this.goal = null;
    this.box.scrollTop = placed(box, this.window(), where);
    this.note();
    return true;
  }

  /**
   * To where an anchor of before was, or as near to it as the list allows; the rest as it grows, unless the reader
   * scrolls. False: none of its rows is here.
   */
  back(anchor: Anchor): boolean {
    this.goal = anchor;
    return this.approach(anchor);
  }

  place(): Anchor {
    return this.anchor;
  }

  wantsMore(): { earlier: boolean; later: boolean } {
    return wantsMore(this.window());
  }

  /** The number of the last row that ends in the window; 0: none has one. */
  lastSeen(): number {
    const rows = this.list.children;
    const line = this.box.scrollTop + this.box.clientHeight + 1;
    for (let index = firstBelow(rows.length, (at) => bottomOf(rows[at]), line) - 1; index >= 0; index -= 1) {
      const seq = (rows[index]?.firstElementChild as HTMLElement | null)?.dataset['seq'];
      if (seq !== undefined) return Number(seq);
    }
    return 0;
  }

  private approach(goal: Anchor): boolean {
    const top = restored(goal, (key) => this.boxOf(key));
    if (top === null) return false;
    this.box.scrollTop = top;
    if (Math.abs(this.box.scrollTop - top) < 1) this.goal = null;
    this.note();
    return true;
  }

  /** Keeps where the reader is now. */
  private note(): void {
    this.atEnd = this.live && isAtEnd(this.window());
    this.measure();
    this.anchor = this.seen();
  }

  private seen(): Anchor {
    const rows = [...this.list.children] as HTMLElement[];
    const window = this.window();
    const from = Math.max(0, firstBelow(rows.length, (at) => bottomOf(rows[at]), window.top));
    const boxes: Box[] = [];
    for (const row of rows.slice(from)) {
      const box = boxFrom(row);
      if (box.top >= window.top + window.height) break;
      boxes.push(box);
    }
    return anchorOf(boxes, window);
  }

  private measure(): void {
    this.full = this.box.scrollHeight;
    this.height = this.box.clientHeight;
    this.top = this.box.scrollTop;
  }

  private boxOf(key: string): Box | null {
    for (const row of this.list.children) if (row instanceof HTMLElement && row.dataset['key'] === key) return boxFrom(row);
    return null;
  }
}

/** Tops count from the scrolled box, which is the rows' offset parent. */
function boxFrom(row: HTMLElement): Box {
  return { key: row.dataset['key'] ?? '', top: row.offsetTop, height: row.offsetHeight };
}

function bottomOf(row: Element | undefined): number {
  return row instanceof HTMLElement ? row.offsetTop + row.offsetHeight : 0;
}
