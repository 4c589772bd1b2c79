import { afterEach, beforeEach, expect, test, vi } from 'vitest';

let started = 0;
let touch = () => {};

class Node {
  gain = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
  connect = <T>(to: T): T => to;
  start = () => void (started += 1);
  stop() {}
}
/** As browsers have it: silent until the page is touched, and then all that waited goes on. */
class Context {
  state = 'suspended';
  currentTime = 0;
  readonly #touched = new Promise<void>((done) => {
    touch = () => {
      this.state = 'running';
      done();
    };
  });
  resume = () => this.#touched;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  started = 0;
  for (const [name, value] of Object.entries({ AudioContext: Context, OscillatorNode: Node, GainNode: Node })) vi.stubGlobal(name, value);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a sound is two notes', async () => {
  const { playSound } = await import('../../src/shell/sound');
  const played = playSound();
  touch();
  await played;
  expect(started).toBe(2);
});

test('sounds that the browser held back are not played all at once at the first touch', async () => {
  const { playSound } = await import('../../src/shell/sound');
  const held = [playSound(), playSound(), playSound()];
  await vi.advanceTimersByTimeAsync(60_000);
  touch();
  await Promise.all(held);
  expect(started).toBe(0);
  await playSound();
  expect(started).toBe(2);
});
