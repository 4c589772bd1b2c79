// Which messages somebody should be told of: those that mention them or are for them alone, if they are news.

import type { Alert, Message } from './model';
import { mentions } from './names';
import type { Platform } from './platform';
import type { Room } from './room';

/** What was missed for longer is not told any more: it is in the list. */
const NEWS_MS = 60_000;
/** Somebody who looks at it in another tab has read it by then. */
const WAIT_MS = 700;
const MOST_REMEMBERED = 1_000;

export class Alerts {
  readonly #platform: Platform;
  readonly #runs = new Set<(alert: Alert) => void>();
  readonly #told = new Set<string>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  onAlert(run: (alert: Alert) => void): () => void {
    const own = (alert: Alert) => run(alert);
    this.#runs.add(own);
    return () => void this.#runs.delete(own);
  }

  /** A message of somebody else. `live`: it came as it was written, whatever the clocks say. */
  heard(room: Room, message: Message, live: boolean, me: string): void {
    if (this.#runs.size === 0 || message.deleted || message.seq <= room.counter.read) return;
    const why = room.kind === 'direct' ? 'direct' : mentions(message.text, me) ? 'mention' : null;
    if (why === null || (!live && this.#platform.now() - message.sent > NEWS_MS)) return;
    const key = `${room.name} ${message.seq}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    if (this.#told.size > MOST_REMEMBERED) for (const old of [...this.#told].slice(0, MOST_REMEMBERED / 2)) this.#told.delete(old);
    this.#platform.setTimeout(() => {
      if (message.seq <= room.counter.read) return;
      for (const run of [...this.#runs]) run({ message, room: room.summary, why });
    }, WAIT_MS);
  }
}
