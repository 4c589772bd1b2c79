// What most tests of the client begin with: a server, a page, and time that the test turns by hand.

import { vi } from 'vitest';
import { createClient, type Item, type RoomView } from '../../src/lib/client';
import type { Platform } from '../../src/lib/client/platform';
import { FakePlatform, FakeServer } from './fake_server';

export const START = Date.parse('2026-03-01T09:00:00Z');

/** Turn the clock on, in steps small enough for promises between timers. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Let what is under way come to its end: no more than a second. */
export async function settle(): Promise<void> {
  await pass(400);
}

/** The promise's value, with the clock going on until it is there. */
export async function done<T>(promise: Promise<T>): Promise<T> {
  let over = false;
  const end = () => void (over = true);
  promise.then(end, end);
  while (!over) await pass(1);
  return promise;
}

export function page(server: FakeServer, more: Partial<Platform> = {}) {
  const fake = new FakePlatform(server);
  const client = createClient({ base: 'http://fake', platform: fake.platform(more) });
  return { client, fake };
}

export function texts(view: RoomView): string[] {
  return view.stretch.get().items.map(shown);
}

export function shown(item: Item): string {
  if (item.kind === 'message') return item.deleted ? '(deleted)' : item.text;
  return `(${item.what.type})`;
}

export function pendingTexts(view: RoomView): string[] {
  return view.pending.get().map((item) => item.text);
}
