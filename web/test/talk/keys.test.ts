// @vitest-environment jsdom
import { beforeEach, expect, test } from 'vitest';
import { moveFocus } from '../../src/talk/keys';

beforeEach(() => {
  Element.prototype.scrollIntoView = () => {}; // jsdom has no places
  document.body.innerHTML = `<div role="log">${[1, 2, 3]
    .map((seq) => `<article data-testid="message" data-seq="${seq}" tabindex="-1"><button data-act>chip ${seq}</button><div role="toolbar"><button data-act>react ${seq}</button><button data-act>reply ${seq}</button></div></article>`)
    .join('')}</div>`;
  document.querySelector('[role="log"]')?.addEventListener('keydown', (event) => moveFocus(event as KeyboardEvent));
});

/** Where the focus is after these keys, from the message of this number. */
function after(seq: number, ...keys: string[]): string | undefined {
  document.querySelector<HTMLElement>(`[data-seq="${seq}"]`)?.focus();
  for (const key of keys) document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  const at = document.activeElement as HTMLElement | null;
  return at?.dataset['seq'] ?? at?.textContent ?? undefined;
}

test('arrows go from message to message and stop at the ends', () => {
  expect(after(2, 'ArrowUp')).toBe('1');
  expect(after(2, 'ArrowDown', 'ArrowDown')).toBe('3');
  expect(after(2, 'Home')).toBe('1');
  expect(after(1, 'End')).toBe('3');
});

test('to the right lies what can be done with a message, and Escape leads back', () => {
  expect(after(2, 'ArrowRight')).toBe('react 2');
  expect(after(2, 'ArrowRight', 'ArrowRight')).toBe('reply 2');
  expect(after(2, 'ArrowRight', 'ArrowLeft')).toBe('chip 2');
  expect(after(2, 'ArrowRight', 'ArrowRight', 'ArrowRight')).toBe('chip 2');
  expect(after(2, 'ArrowRight', 'Escape')).toBe('2');
});

test('other keys are left alone', () => {
  expect(after(2, 'Tab')).toBe('2');
  expect(after(2, 'ArrowRight', 'Enter')).toBe('react 2');
});
