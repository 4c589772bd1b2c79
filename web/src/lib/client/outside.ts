// Rooms that one belongs to and is not in. The server tells how far they have come, in entries: what those are is read
// from their history where it matters to people, a room at a time.

import type { Api } from './api';
import type { Message } from './model';
import { mentions } from './names';
import type { Platform } from './platform';
import type { Room } from './room';
import { unsureOf } from './unread';

/** Of more unread entries than this, nobody minds how many are messages. */
const MOST_UNSURE = 20;
/** From one room to the next; and as much again at random, for news of a room comes to many at once. */
const PAUSE_MS = 500;
/** A room is asked about so seldom. */
const AGAIN_MS = 10_000;

export interface OutsideAround {
  readonly me: string;
  readonly online: boolean;
  heard(room: Room, message: Message, live: boolean): void;
}

export class Outside {
  readonly #platform: Platform;
  readonly #api: Api;
  readonly #around: OutsideAround;
  readonly #toCount = new Set<Room>();
  readonly #counted = new WeakMap<Room, number>();
  #working = false;
  /** Goes up when the connection is lost: what was asked for before is of no use. */
  #round = 0;

  constructor(platform: Platform, api: Api, around: OutsideAround) {
    this.#platform = platform;
    this.#api = api;
    this.#around = around;
  }

  lost(): void {
    this.#round++;
    this.#toCount.clear();
  }

  /** Something in it may concern the user: read what came after an entry. */
  async hear(room: Room, after: number): Promise<void> {
    try {
      const page = await this.#api.history(room.name, { after, limit: 50 });
      this.#tell(room, page.messages);
    } catch {
      // The count in the list says it still.
    }
  }

  #tell(room: Room, messages: readonly Message[]): void {
    for (const message of messages) {
      const concerns = room.kind === 'direct' || mentions(message.text, this.#around.me);
      if (concerns && message.from !== this.#around.me && !message.deleted) this.#around.heard(room, message, true);
    }
  }

  /** See, before long, how many of its unread entries are messages. */
  count(room: Room): void {
    if (!isUnsure(room)) return;
    this.#toCount.add(room);
    this.#soon();
  }

  #soon(): void {
    if (this.#working) return;
    this.#working = true;
    this.#platform.setTimeout(() => void this.#next(), PAUSE_MS * (1 + this.#platform.random()));
  }

  async #next(): Promise<void> {
    const now = this.#platform.now();
    const room = [...this.#toCount].find((one) => now - (this.#counted.get(one) ?? Number.NEGATIVE_INFINITY) >= AGAIN_MS);
    if (room !== undefined) {
      this.#toCount.delete(room);
      if (this.#around.online && room.stage === 'out' && isUnsure(room)) {
        this.#counted.set(room, now);
        await this.#count(room);
      }
    }
    this.#working = false;
    if (this.#toCount.size > 0) this.#soon();
  }

  async #count(room: Room): Promise<void> {
    const [round, { generation, counter }] = [this.#round, room];
    try {
      const page = await this.#api.history(room.name, { after: counter.read, limit: 2 * MOST_UNSURE });
      if (round !== this.#round || generation !== room.generation || room.stage !== 'out' || page.more) return;
      // The page may be ahead of the server's news of the room, which then is none any more.
      const { head } = room.counter;
      room.looked(page, counter.read);
      this.#tell(room, page.messages.filter((message) => message.seq > head));
    } catch {
      // It stays a count of entries.
    }
  }
}

/** Whether it is worth looking what is unread: there are a few entries, and which of them are messages is not known. */
function isUnsure(room: Room): boolean {
  const unsure = unsureOf(room.counter);
  return unsure > 0 && unsure <= MOST_UNSURE;
}
