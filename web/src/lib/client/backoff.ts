// When to try again.

const FIRST_MS = 1_000;
const MOST_MS = 30_000;

/** How long to wait before try number `tries` (from 0): a random time of up to 1, 2, 4, … 30 s. `random`: 0 to 1. */
export function backoff(tries: number, random: number): number {
  return random * Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(tries, 10));
}

/** The time in a close reason such as `restarting; retry after 3.2 s`, in ms; null if it names none. */
export function restartDelay(reason: string): number | null {
  const found = /retry after (\d+(?:\.\d+)?) ?s/.exec(reason);
  return found === null ? null : Math.min(Number(found[1]) * 1_000, 10 * 60_000);
}
