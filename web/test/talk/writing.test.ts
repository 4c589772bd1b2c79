import { describe, expect, test } from 'vitest';
import { findEmoji } from '../../src/lib/emoji/data';
import { Lru } from '../../src/lib/markdown/lru';
import { complete, insert, matching, merged, typedAt } from '../../src/talk/completion';
import { draftOfOldName, loadDraft, saveDraft } from '../../src/talk/drafts';
import { charactersLeft, isComposing } from '../../src/talk/writing';
import { beside } from '../../src/talk/picking';
import { loadEmoji } from '../../src/lib/emoji/data';

/** The text has a | where the caret is. */
function at(text: string) {
  const typed = typedAt(text.replace('|', ''), text.indexOf('|'));
  return typed && `${typed.kind} ${typed.query} ${typed.from}-${typed.to}`;
}

describe('what is being typed', () => {
  test.each([
    ['@|', 'person  0-1'],
    ['hi @bo|', 'person bo 3-6'],
    ['hi @bo|b', 'person bo 3-6'],
    ['（@小|', 'person 小 1-3'],
    ['hi :ta|', 'emoji ta 3-6'],
    ['：開心|', 'emoji 開心 0-3'],
    ['`a` @b|', 'person b 4-6'],
  ])('%s is %s', (text, expected) => expect(at(text)).toBe(expected));

  test.each(['a@b|', 'http://a|', '10:30|', ':a|', 'hi |', '`@b|', '```\n@b|', 'x@|', '@b |'])('%s is nothing', (text) => expect(at(text)).toBe(null));
});

test('a completion takes the place of what was typed, with one space after it', () => {
  const typed = typedAt('hi @bo there', 6);
  expect(typed && complete('hi @bo there', typed, '@bob')).toEqual({ text: 'hi @bob there', caret: 8 });
  const last = typedAt('@b', 2);
  expect(last && complete('@b', last, '@bob')).toEqual({ text: '@bob ', caret: 5 });
  expect(insert('ab', 1, 2, '🎉')).toEqual({ text: 'a🎉', caret: 3 });
});

test('people who are here come first, then those whose name begins so', () => {
  const person = (name: string, displayName = name, present = true) => ({ name, displayName, present });
  const people = [person('zbo', 'Zbo'), person('bob', 'Robert Bo', false), person('ann', 'Ann Bond'), person('boris'), person('kim')];
  expect(matching(people, 'Bo').map(({ name }) => name)).toEqual(['boris', 'ann', 'zbo', 'bob']);
  expect(merged([person('bob')], [person('bob', 'Bob', false), person('bo', 'Bo', false)], 8).map(({ name, present }) => [name, present])).toEqual([['bob', true], ['bo', false]]);
});

test('emoji are found by shortcode, name and part, in English and Chinese', async () => {
  const english = await loadEmoji('en');
  expect(findEmoji(english, 'tada', 3)[0]?.emoji).toBe('🎉');
  expect(findEmoji(english, '+1', 3)[0]?.emoji).toBe('👍');
  expect(findEmoji(english, 'no such thing', 3)).toEqual([]);
  const chinese = await loadEmoji('zh-TW');
  expect(findEmoji(chinese, '蘋果', 9).map(({ emoji }) => emoji)).toContain('🍎');
  expect(findEmoji(chinese, 'tada', 3)[0]?.emoji).toBe('🎉');
});

describe('drafts', () => {
  function storage() {
    const kept = new Map<string, string>();
    return { kept, getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value), removeItem: (key: string) => void kept.delete(key) };
  }

  test('are kept for each user and room', () => {
    const place = storage();
    saveDraft(place, 'ada', 'general', { text: 'half a', replyTo: 4 });
    expect(loadDraft(place, 'ada', 'general')).toEqual({ text: 'half a', replyTo: 4 });
    expect(loadDraft(place, 'ada', 'other')).toEqual({ text: '', replyTo: null });
    expect(loadDraft(place, 'bob', 'general')).toEqual({ text: '', replyTo: null });
  });

  test('are gone when nothing is left of them', () => {
    const place = storage();
    saveDraft(place, 'ada', 'general', { text: 'a', replyTo: null });
    saveDraft(place, 'ada', 'general', { text: ' ', replyTo: null });
    expect(place.kept.size).toBe(0);
  });

  test('are found again when the room was renamed while nobody looked, and asked for once', async () => {
    const place = storage();
    const listed = { ...place, key: (index: number) => [...place.kept.keys()][index] ?? null, get length() { return place.kept.size; } };
    saveDraft(place, 'ada', 'old', { text: 'half a', replyTo: 4 });
    saveDraft(place, 'ada', 'gone', { text: 'elsewhere', replyTo: null });
    saveDraft(place, 'ada', 'general', { text: 'known', replyTo: null });
    saveDraft(place, 'bob', 'theirs', { text: 'not ours', replyTo: null });
    const asked: string[] = [];
    const find = (): Promise<unknown> =>
      draftOfOldName(listed, 'ada', 'new', (name) => name === 'general', (was) => {
        asked.push(was);
        return Promise.resolve(was === 'old' ? 'new' : null);
      });
    expect(await find()).toEqual({ text: 'half a', replyTo: 4 });
    expect(loadDraft(place, 'ada', 'old').text).toBe('');
    await find();
    expect(asked).toEqual(['old', 'gone']);
  });

  test('that are broken, and storage that is forbidden, do no harm', () => {
    const place = storage();
    for (const value of ['{', '1', 'null', '{"text":1}']) {
      expect(loadDraft({ ...place, getItem: () => value }, 'ada', 'general').text).toBe('');
    }
    const forbidden = () => {
      throw new Error('forbidden');
    };
    saveDraft({ getItem: forbidden, setItem: forbidden, removeItem: forbidden }, 'ada', 'general', { text: 'a', replyTo: null });
    expect(loadDraft({ getItem: forbidden, setItem: forbidden, removeItem: forbidden }, 'ada', 'general').text).toBe('');
  });
});

test('Enter of an input method is its own', () => {
  expect(isComposing({ isComposing: true, keyCode: 13 })).toBe(true);
  expect(isComposing({ isComposing: false, keyCode: 229 })).toBe(true);
  expect(isComposing({ isComposing: false, keyCode: 13 })).toBe(false);
});

test('characters are counted as the server counts them', () => {
  expect(charactersLeft('a'.repeat(10), 10)).toBe(0);
  expect(charactersLeft('🎉'.repeat(10), 10)).toBe(0);
  expect(charactersLeft('🎉'.repeat(11), 10)).toBe(-1);
  expect(charactersLeft('a', 0)).toBe(Infinity);
});

test('what was made last is kept, up to a size', () => {
  const kept = new Lru<string, number>(10);
  kept.set('a', 1, 4);
  kept.set('b', 2, 4);
  expect(kept.get('a')).toBe(1);
  kept.set('c', 3, 4);
  expect([kept.get('a'), kept.get('b'), kept.get('c'), kept.count]).toEqual([1, undefined, 3, 2]);
  kept.set('c', 4, 1);
  kept.set('d', 5, 5);
  expect([kept.get('a'), kept.get('c'), kept.get('d')]).toEqual([1, 4, 5]);
});

test('the picker opens above its button, or below, and within the window', () => {
  const window = { width: 1000, height: 700 };
  const size = { width: 300, height: 400 };
  expect(beside({ top: 600, bottom: 630, right: 900 }, size, window)).toEqual({ top: 192, left: 600 });
  expect(beside({ top: 50, bottom: 80, right: 100 }, size, window)).toEqual({ top: 88, left: 8 });
});
