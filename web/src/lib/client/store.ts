// Values that change, in Svelte's store contract.

import type { Readable } from './model';

/** Gathers what is to be done and told: at most once a frame, first all work, then all news of it. */
export class Frame {
  readonly #nextFrame: (run: () => void) => void;
  readonly #work = new Set<() => void>();
  readonly #news = new Set<() => void>();
  #asked = false;

  constructor(nextFrame: (run: () => void) => void) {
    this.#nextFrame = nextFrame;
  }

  /** Do `run` at the next frame; once, however often it is asked for. */
  work(run: () => void): void {
    this.#work.add(run);
    this.#ask();
  }

  /** Tell by `run`, after all the work. */
  tell(run: () => void): void {
    this.#news.add(run);
    this.#ask();
  }

  /** Now. */
  flush(): void {
    this.#asked = false;
    this.#drain(this.#work);
    this.#drain(this.#news);
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#nextFrame(() => {
      if (this.#asked) this.flush();
    });
  }

  #drain(set: Set<() => void>): void {
    for (const run of set) {
      set.delete(run);
      try {
        run();
      } catch (error) {
        // One subscriber's fault must not keep the news from the others.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
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
    else this.#frame.tell(this.#tell);
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
