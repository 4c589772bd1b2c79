import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { paced } from '../../src/shell/pace';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the first wish is granted at once, of those that follow closely the last', () => {
  const said: number[] = [];
  const say = paced(250, (value: number) => said.push(value));
  say(1);
  expect(said).toEqual([1]);
  for (let value = 2; value <= 60; value += 1) {
    vi.advanceTimersByTime(10);
    say(value);
  }
  expect(said).toEqual([1, 25, 50]);
  vi.advanceTimersByTime(250);
  expect(said).toEqual([1, 25, 50, 60]);
  vi.advanceTimersByTime(1000);
  expect(said).toEqual([1, 25, 50, 60]);
  say(61);
  expect(said.at(-1)).toBe(61);
});
