// Values that change, in Svelte's store contract.

import type { Readable } from './model';

/** Runs what is due in one go, soon: changes are gathered, at most one notice a frame. */
export class Frame {
  readonly #nextFrame: (run: () => void) => void;
  #due = new Set<() => void>();
  #asked = false;

  constructor(nextFrame: (run: () => void) => void) {
    this.#nextFrame = nextFrame;
  }

  /** Run `run` at the next frame; once, however often it is asked for. */
  ask(run: () => void): void {
    this.#due.add(run);
    if (this.#asked) return;
    this.#asked = true;
    this.#nextFrame(() => this.flush());
  }

  /** Run now what is due. */
  flush(): void {
    this.#asked = false;
    const due = this.#due;
    this.#due = new Set();
    for (const run of due) run();
  }
}

/** A value and those who want to know of it. They hear of it at once, or with a `Frame` at the next one. */
export class Value<T> implements Readable<T> {
  #value: T;
  readonly #frame: Frame | null;
  readonly #runs = new Set<{ run: (value: T) => void; last: T }>();
  readonly #tell = () => this.#tellAll();

  constructor(value: T, frame: Frame | null = null) {
    this.#value = value;
    this.#frame = frame;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    if (this.#runs.size === 0) return;
    if (this.#frame === null) this.#tellAll();
    else this.#frame.ask(this.#tell);
  }

  subscribe(run: (value: T) => void): () => void {
    const subscriber = { run, last: this.#value };
    this.#runs.add(subscriber);
    run(this.#value);
    return () => void this.#runs.delete(subscriber);
  }

  #tellAll(): void {
    for (const subscriber of [...this.#runs]) {
      if (!this.#runs.has(subscriber) || Object.is(subscriber.last, this.#value)) continue;
      subscriber.last = this.#value;
      subscriber.run(this.#value);
    }
  }
}
