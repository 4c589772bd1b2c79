// Everything that the client takes from where it runs: all of it can be replaced, for tests and for other homes.

/** What the client uses of a WebSocket. */
export interface Socket {
  readonly readyState: number;
  onopen: ((event: unknown) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** What the client uses of a BroadcastChannel. */
export interface Channel {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** What the client uses of the Web Locks. */
export interface Locks {
  request(name: string, options: { signal: AbortSignal } | { steal: true }, run: () => Promise<void>): Promise<unknown>;
}

export type Timer = unknown;

export interface Platform {
  /** ms since 1970. */
  now(): number;
  /** From 0 to 1, for back-off. */
  random(): number;
  /** A new id: 1 to 64 visible ASCII characters, never the same twice. */
  newId(): string;
  setTimeout(run: () => void, ms: number): Timer;
  clearTimeout(timer: Timer): void;
  /** Run soon, at most once a frame: how changes are gathered before those who subscribe hear of them. */
  nextFrame(run: () => void): void;
  fetch: typeof fetch;
  connect(url: string, protocols: string[]): Socket;
  /** Null: there is none, and the outbox lives as long as the page. */
  indexedDB: IDBFactory | null;
  /** Null: there are no other tabs. */
  channel: ((name: string) => Channel) | null;
  locks: Locks | null;
  /** A few short texts that outlive the page; null: there is no place for them. */
  remembered: { get(key: string): string | null; set(key: string, value: string): void } | null;
  /** False: surely offline. */
  isOnline(): boolean;
  isVisible(): boolean;
  /** Calls `run` at each sign that things have changed outside; returns what ends it. */
  onSign(run: (sign: Sign) => void): () => void;
}

/** `hidden`: the page may never run again. `shown`: it may have slept. */
export type Sign = 'online' | 'offline' | 'shown' | 'hidden';

/** The browser's own. Works in a program without a page too: what is not there is left out. */
export function browserPlatform(): Platform {
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    newId,
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer as number),
    nextFrame,
    fetch: (input, init) => fetch(input, init),
    connect: (url, protocols) => new WebSocket(url, protocols) as unknown as Socket,
    indexedDB: typeof indexedDB === 'undefined' ? null : indexedDB,
    channel: typeof BroadcastChannel === 'undefined' ? null : (name) => new BroadcastChannel(name) as unknown as Channel,
    locks: typeof navigator === 'undefined' || !('locks' in navigator) ? null : (navigator.locks as unknown as Locks),
    remembered,
    isOnline: () => typeof navigator === 'undefined' || navigator.onLine !== false,
    isVisible: () => typeof document === 'undefined' || document.visibilityState !== 'hidden',
    onSign,
  };
}

/** The time, then what is random: such ids lie together in the server's index. `randomUUID` needs a secure context. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return Date.now().toString(16).padStart(12, '0') + random;
}

/** Storage may be forbidden, or full. */
const remembered: Platform['remembered'] = {
  get: (key) => {
    try {
      return globalThis.localStorage?.getItem(key) ?? null;
    } catch {
      return null;
    }
  },
  set: (key, value) => {
    try {
      globalThis.localStorage?.setItem(key, value);
    } catch {
      // Then it is not remembered.
    }
  },
};

/** A page that is not seen gets no animation frames, so a timer runs beside it. */
function nextFrame(run: () => void): void {
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    run();
  };
  const timer = setTimeout(once, 50);
  if (typeof requestAnimationFrame === 'function') requestAnimationFrame(once);
  else setTimeout(once, 16);
}

function onSign(run: (sign: Sign) => void): () => void {
  if (typeof window === 'undefined') return () => {};
  const ended = new AbortController();
  const { signal } = ended;
  window.addEventListener('online', () => run('online'), { signal });
  window.addEventListener('offline', () => run('offline'), { signal });
  window.addEventListener('pageshow', () => run('shown'), { signal });
  window.addEventListener('pagehide', () => run('hidden'), { signal });
  document.addEventListener('visibilitychange', () => run(document.visibilityState === 'hidden' ? 'hidden' : 'shown'), { signal });
  return () => ended.abort();
}
