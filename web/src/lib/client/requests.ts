// Requests that are answered: edits, deletions, reactions. Each has an id, so asking again changes nothing.

import { HubbubError } from './errors';
import type { Platform, Timer } from './platform';
import type { ClientEvent, Error as WireError, Ref, ServerEvent } from './wire';

const ANSWER_MS = 10_000;
const GIVE_UP_MS = 30_000;

interface Asked {
  event: ClientEvent;
  until: number;
  timer: Timer;
  resolve(): void;
  reject(error: HubbubError): void;
}

export class Requests {
  readonly #platform: Platform;
  readonly #send: (event: ClientEvent) => boolean;
  readonly #asked = new Map<Ref, Asked>();
  #count = 0;

  constructor(platform: Platform, send: (event: ClientEvent) => boolean) {
    this.#platform = platform;
    this.#send = send;
  }

  /** Resolves when the server has done it; rejects with `HubbubError`. */
  ask(event: ClientEvent): Promise<void> {
    const ref = `r${++this.#count}`;
    return new Promise((resolve, reject) => {
      const asked: Asked = {
        event: { ...event, ref },
        until: this.#platform.now() + GIVE_UP_MS,
        timer: null,
        resolve,
        reject,
      };
      if (!this.#send(asked.event)) {
        reject(notConnected());
        return;
      }
      this.#asked.set(ref, asked);
      this.#again(asked, ANSWER_MS);
    });
  }

  /** Connected again: what got lost with the connection is asked again. */
  welcomed(): void {
    for (const asked of this.#asked.values()) {
      this.#send(asked.event);
      this.#again(asked, ANSWER_MS);
    }
  }

  /** Any event that has a `ref`. */
  answered(event: ServerEvent): void {
    const ref = event.ref;
    const asked = ref === undefined ? undefined : this.#asked.get(ref);
    if (ref === undefined || asked === undefined) return;
    this.#platform.clearTimeout(asked.timer);
    if (event.type === 'error' && event.payload.retry && this.#platform.now() < asked.until) {
      this.#again(asked, Math.max(50, (event.payload.retry_after ?? 1) * 1_000));
      return;
    }
    this.#asked.delete(ref);
    if (event.type === 'error') asked.reject(errorFrom(event.payload));
    else asked.resolve();
  }

  /** None will be answered any more. */
  end(): void {
    for (const asked of this.#asked.values()) {
      this.#platform.clearTimeout(asked.timer);
      asked.reject(notConnected());
    }
    this.#asked.clear();
  }

  /** Ask again after `ms`, unless it is too late then. */
  #again(asked: Asked, ms: number): void {
    this.#platform.clearTimeout(asked.timer);
    asked.timer = this.#platform.setTimeout(() => {
      if (this.#platform.now() >= asked.until) {
        this.#asked.delete(asked.event.ref ?? '');
        asked.reject(notConnected());
        return;
      }
      this.#send(asked.event);
      this.#again(asked, ANSWER_MS);
    }, ms);
  }
}

export function errorFrom(error: WireError): HubbubError {
  return new HubbubError(error.code, error.message, {
    retry: error.retry,
    retryAfter: error.retry_after ?? null,
    field: error.field ?? null,
  });
}

function notConnected(): HubbubError {
  return new HubbubError('not_connected', 'There is no connection to the server.', { retry: true });
}
