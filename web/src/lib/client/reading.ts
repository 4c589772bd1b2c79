// Where in a room's log a reader is: the stretch that is shown, and the pages that are joined to it.

import type { Api } from './api';
import { HubbubError } from './errors';
import type { Message } from './model';
import type { Room } from './room';
import type { Frame } from './store';
import { covers, fromBack, messageIn, pageAround, WINDOW, withEarlier, withEntries, withLater, type Page, type Window } from './stretch';
import type { Entry } from './wire';

/** Messages that one request asks for: so many that a page draws them without a pause. */
const PAGE = 50;

export class Reading {
  window: Window | null = null;
  /** The reader is at the end and goes along. */
  follows = true;
  readonly #api: Api;
  readonly #frame: Frame;
  /** The room, once it is found. */
  readonly #room: () => Promise<Room>;
  readonly #changed: () => void;
  readonly #loading = new Map<'earlier' | 'later', Promise<void>>();
  /** Goes up with each jump: what was asked for before it is not wanted any more. */
  #jump = 0;
  #closed = false;

  constructor(api: Api, frame: Frame, room: () => Promise<Room>, changed: () => void) {
    this.#api = api;
    this.#frame = frame;
    this.#room = room;
    this.#changed = changed;
  }

  /** Work entries in; `end` is the room's end with them, `before` what it was. */
  came(entries: readonly Entry[], before: Window | null, end: Window | null): void {
    if (this.window === null) return;
    if (this.window === before && this.follows && end !== null) this.window = end;
    else if (this.follows) this.window = withEntries(this.window, entries);
    else this.window = fromBack(withEntries(this.window, entries, Number.POSITIVE_INFINITY), WINDOW);
  }

  /** Show nothing, until a place is found; returns what was shown. */
  drop(): Window | null {
    const { window } = this;
    this.#jump++;
    this.#loading.clear();
    this.window = null;
    this.#changed();
    return window;
  }

  close(): void {
    this.#closed = true;
    this.#jump++;
  }

  loadEarlier(): Promise<void> {
    return this.#once('earlier', async (room, window) => {
      if (!window.hasEarlier) return;
      await this.#page(room, { before: window.from }, (page, came) => {
        if (this.window?.from !== window.from) return; // it was cut meanwhile: the page would not join it
        this.window = withEntries(withEarlier(this.window, page), came);
      });
    });
  }

  loadLater(): Promise<void> {
    return this.#once('later', async (room, window) => {
      if (!window.hasLater) return;
      await this.#page(room, { after: window.to }, (page, came) => {
        if (this.window?.to !== window.to) return;
        this.window = withEntries(withLater(this.window, page), came);
      });
    });
  }

  async loadAround(seq: number): Promise<void> {
    const room = await this.#room();
    const jump = ++this.#jump;
    if (this.window !== null && covers(this.window, seq) && messageIn(this.window, seq) !== null) return;
    if (room.end !== null && messageIn(room.end, seq) !== null) return this.place(room.end);
    await this.#page(room, { around: seq }, (page, came) => {
      if (jump === this.#jump) this.place(withEntries(pageAround(page, seq, PAGE), came));
    });
  }

  async loadEnd(): Promise<void> {
    const room = await this.#room();
    const jump = ++this.#jump;
    room.settle();
    if (room.end !== null && (room.end.items.length > 0 || !room.end.hasEarlier)) return this.place(room.end);
    await this.#page(room, {}, (page, came) => {
      const end = room.endFrom(page, came);
      if (jump === this.#jump) this.place(end);
    });
  }

  async message(seq: number): Promise<Message | null> {
    const room = await this.#room();
    const held = [this.window, room.end].map((window) => (window === null ? null : messageIn(window, seq)));
    const found = held.find((message) => message !== null);
    if (found !== undefined) return found;
    const page = await this.#api.history(room.name, { around: seq, limit: 1 });
    return page.messages.find((message) => message.seq === seq) ?? null;
  }

  /** Show this; who has asked for it finds it there. */
  place(window: Window): void {
    this.window = window;
    this.#loading.clear();
    this.#changed();
    this.#frame.flush();
  }

  /** Read a page, and what comes live meanwhile; the numbers of both are of one log. */
  async #page(
    room: Room,
    place: { before?: number; after?: number; around?: number },
    join: (page: Page, came: readonly Entry[]) => void,
  ): Promise<void> {
    const { generation } = room;
    const recording = room.record();
    try {
      const page = await this.#api.history(room.name, { ...place, limit: PAGE });
      if (this.#closed) throw closed();
      if (generation !== room.generation) return;
      room.learn(page.messages);
      room.settle();
      join(page, recording.entries);
      this.#changed();
      this.#frame.flush();
    } finally {
      recording.stop();
    }
  }

  /** One request in a direction at a time. */
  async #once(which: 'earlier' | 'later', load: (room: Room, window: Window) => Promise<void>): Promise<void> {
    const running = this.#loading.get(which);
    if (running !== undefined) return running;
    const { window } = this;
    if (window === null) return;
    const loading = this.#room()
      .then((room) => load(room, window))
      .finally(() => {
        if (this.#loading.get(which) === loading) this.#loading.delete(which);
      });
    this.#loading.set(which, loading);
    return loading;
  }
}

export function closed(): HubbubError {
  return new HubbubError('closed', 'The room was closed.');
}
