// Whose turn it is to send, of all tabs of a user: Web Locks where there are, else a lease in the outbox's store.
//
// Two senders at once would do little harm, since the server takes each id once; but within a room their order could
// change. So a tab that may send keeps that right only while it is connected.

import type { Locks, Platform, Timer } from '../platform';
import type { OutboxStore } from './store';

const LEASE_MS = 6_000;
const RENEW_MS = 2_000;

export interface Turn {
  /** Whether it is this tab's turn, now. */
  has(): boolean;
  /** Ask for it, if it was not asked for. */
  want(): void;
  /** Take it from a tab that holds it and does nothing: the system has put it to sleep. A lease ends by itself. */
  steal(): void;
  /** Give it up. */
  release(): void;
}

/** `got` is called when it comes, `lost` when it was taken away. */
export function makeTurn(name: string, platform: Platform, store: OutboxStore, got: () => void, lost: () => void): Turn {
  return platform.locks === null ? leaseTurn(name, platform, store, got) : lockTurn(name, platform.locks, got, lost);
}

/** The lock is queued for, so it comes at once when another tab closes. */
function lockTurn(name: string, locks: Locks, got: () => void, lost: () => void): Turn {
  let asked: { has: boolean; ended: AbortController; finish: () => void } | null = null;

  const ask = (steal: boolean) => {
    const mine = { has: false, ended: new AbortController(), finish: () => {} };
    asked = mine;
    const held = () =>
      new Promise<void>((resolve) => {
        mine.finish = resolve;
        if (asked !== mine) return resolve();
        mine.has = true;
        got();
      });
    const over = () => {
      if (asked !== mine) return;
      asked = null;
      lost();
    };
    locks.request(name, steal ? { steal: true } : { signal: mine.ended.signal }, held).then(over, over);
  };
  const release = () => {
    const mine = asked;
    asked = null;
    if (mine?.has === true) mine.finish();
    else mine?.ended.abort();
  };
  return {
    has: () => asked?.has === true,
    want: () => {
      if (asked === null) ask(false);
    },
    steal: () => {
      if (asked?.has === true) return;
      release();
      ask(true);
    },
    release,
  };
}

function leaseTurn(name: string, platform: Platform, store: OutboxStore, got: () => void): Turn {
  const holder = platform.newId();
  let until = 0;
  let wanted = false;
  let timer: Timer | null = null;

  const ask = async () => {
    if (timer !== null) platform.clearTimeout(timer);
    timer = platform.setTimeout(() => void ask(), RENEW_MS);
    const had = has();
    const now = platform.now();
    let lease;
    try {
      lease = await store.lease({ name, holder, until: now + LEASE_MS }, now);
    } catch {
      lease = { holder, until: now + LEASE_MS }; // the store is broken: better two senders than none
    }
    if (!wanted) return void store.release(name, holder).catch(() => {});
    until = lease.holder === holder ? lease.until : 0;
    if (!had && has()) got();
  };
  const has = () => wanted && platform.now() < until;
  const want = () => {
    if (wanted) return;
    wanted = true;
    void ask();
  };
  const release = () => {
    if (!wanted) return;
    wanted = false;
    until = 0;
    if (timer !== null) platform.clearTimeout(timer);
    void store.release(name, holder).catch(() => {});
  };
  return { has, want, steal: () => {}, release };
}
