import { describe, expect, test } from 'vitest';
import { isQuiet, type QuietHours } from '../../src/lib/state/quiet';

const at = (time: string) => new Date(`2026-03-01T${time}:00`);
const hours = (from: string, to: string): QuietHours => ({ on: true, from, to });

describe('quiet hours', () => {
  test.each([
    ['09:00', '17:00', '08:59', false],
    ['09:00', '17:00', '09:00', true],
    ['09:00', '17:00', '16:59', true],
    ['09:00', '17:00', '17:00', false],
    ['22:00', '07:00', '21:59', false],
    ['22:00', '07:00', '22:00', true],
    ['22:00', '07:00', '00:00', true],
    ['22:00', '07:00', '06:59', true],
    ['22:00', '07:00', '07:00', false],
    ['08:00', '08:00', '12:00', true],
  ])('from %s to %s, at %s: %s', (from, to, now, quiet) => {
    expect(isQuiet(hours(from, to), at(now))).toBe(quiet);
  });

  test('switched off, it is never quiet', () => {
    expect(isQuiet({ ...hours('00:00', '23:59'), on: false }, at('12:00'))).toBe(false);
  });

  test.each(['', '24:00', '7:00', 'noon'])('a time %j that is none makes nothing quiet', (time) => {
    expect(isQuiet(hours(time, '07:00'), at('03:00'))).toBe(false);
  });
});
