// Telling the server how far rooms were read: at once, and then at most once in a while.

import type { Platform } from './platform';
import type { Room } from './room';
import type * as wire from './wire';

const MARK_MS = 1_000;

export class Marking {
  readonly #platform: Platform;
  readonly #send: (event: wire.ClientEvent) => boolean;
  readonly #marking = new Set<Room>();

  readonly #isOnline: () => boolean;

  constructor(platform: Platform, send: (event: wire.ClientEvent) => boolean, isOnline: () => boolean) {
    this.#platform = platform;
    this.#send = send;
    this.#isOnline = isOnline;
  }

  /** More was read than the server knows. */
  moved(room: Room): void {
    if (this.#marking.has(room)) return;
    this.#marking.add(room);
    queueMicrotask(() => this.tell(room));
    this.#platform.setTimeout(() => {
      this.#marking.delete(room);
      if (this.#isOnline() && room.counter.read > room.readTold) this.moved(room);
    }, MARK_MS);
  }

  /** Tell what was read and is not told yet. */
  tell(room: Room): void {
    const { read } = room.counter;
    if (read <= room.readTold || !room.member) return;
    if (this.#send({ type: 'mark_read', payload: { room: room.name, seq: read } })) room.readTold = read;
  }
}
