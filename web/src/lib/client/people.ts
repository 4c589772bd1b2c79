// Names as shown: looked up together, and kept.

import type { Api } from './api';
import type { Readable } from './model';
import type { Platform } from './platform';
import { type Frame, Value } from './store';

const GATHER_MS = 30;
const AT_ONCE = 100;
const STALE_MS = 10 * 60_000;
const AGAIN_MS = 30_000;

interface Known {
  value: Value<string>;
  /** When it was looked up, ms since 1970; null: it is to be. */
  asked: number | null;
}

export class People {
  readonly #platform: Platform;
  readonly #api: Api;
  readonly #frame: Frame;
  readonly #known = new Map<string, Known>();
  readonly #wanted = new Set<string>();
  #gathering = false;
  #online = false;

  constructor(platform: Platform, api: Api, frame: Frame) {
    this.#platform = platform;
    this.#api = api;
    this.#frame = frame;
  }

  displayName(name: string): Readable<string> {
    const known = this.#of(name);
    if (known.asked === null) this.#want(name);
    return known.value;
  }

  /** It is known from elsewhere. */
  learn(name: string, displayName: string): void {
    const known = this.#of(name);
    known.asked = this.#platform.now();
    known.value.set(displayName === '' ? name : displayName);
  }

  /** Connected, perhaps after long: what is old is looked up again. */
  welcomed(): void {
    this.#online = true;
    const now = this.#platform.now();
    for (const [name, known] of this.#known) if (known.asked === null || now - known.asked > STALE_MS) this.#want(name);
  }

  lost(): void {
    this.#online = false;
  }

  #of(name: string): Known {
    let known = this.#known.get(name);
    if (known === undefined) {
      known = { value: new Value(name, this.#frame), asked: null };
      this.#known.set(name, known);
    }
    return known;
  }

  #want(name: string): void {
    this.#wanted.add(name);
    if (this.#gathering || !this.#online) return;
    this.#gathering = true;
    this.#platform.setTimeout(() => void this.#look(), GATHER_MS);
  }

  async #look(): Promise<void> {
    this.#gathering = false;
    const names = [...this.#wanted].slice(0, AT_ONCE);
    for (const name of names) this.#wanted.delete(name);
    if (names.length === 0) return;
    const now = this.#platform.now();
    for (const name of names) this.#of(name).asked = now;
    try {
      for (const person of await this.#api.peopleNamed(names)) this.learn(person.name, person.displayName);
    } catch {
      this.#platform.setTimeout(() => names.forEach((name) => this.#want(name)), AGAIN_MS);
    }
    const [next] = this.#wanted;
    if (next !== undefined) this.#want(next);
  }
}
