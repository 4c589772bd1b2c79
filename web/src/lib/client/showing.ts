// What a page is shown of an open room: the same object as before where nothing has changed.

import type { HubbubError } from './errors';
import type { Pending, Stretch } from './model';
import type { Window } from './stretch';

export const LOADING: Stretch = {
  state: 'loading',
  error: null,
  items: [],
  hasEarlier: false,
  hasLater: false,
  newer: 0,
  firstUnread: null,
};

/** `before`: what was shown. `head`: the number of the room's last entry. */
export function stretchOf(before: Stretch, problem: HubbubError | null, window: Window | null, head: number, firstUnread: number | null): Stretch {
  if (problem !== null || window === null) {
    const error = problem === null ? null : { code: problem.code, message: problem.message };
    const state = error === null ? 'loading' : 'refused';
    // While it is loaded again after a jump or a reset, nothing is shown that may be wrong.
    return before.state === state && before.error?.code === error?.code ? before : { ...LOADING, state, error };
  }
  const now: Stretch = {
    state: 'ready',
    error: null,
    items: window.items,
    hasEarlier: window.hasEarlier,
    hasLater: window.hasLater,
    newer: window.hasLater ? Math.max(0, head - window.to) : 0,
    firstUnread,
  };
  const keys = Object.keys(now) as (keyof Stretch)[];
  return keys.every((key) => now[key] === before[key]) ? before : now;
}

export function samePending(one: readonly Pending[], other: readonly Pending[]): boolean {
  return one.length === other.length && one.every((item, index) => JSON.stringify(item) === JSON.stringify(other[index]));
}
