import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HubbubError } from '../../src/lib/client';
import { errorWords, formatBytes, formatDay, formatList, formatRelative, formatWait, plural, preferred, setLanguage, t, tOr } from '../../src/lib/i18n';

beforeEach(() => setLanguage('en'));
afterEach(() => setLanguage('en'));

test('the first language of the browser that we have is taken, and English if there is none', () => {
  expect(preferred(['de-DE', 'zh-Hant-HK', 'en'])).toBe('zh-TW');
  expect(preferred(['zh-CN'])).toBe('zh-TW');
  expect(preferred(['fr', 'en-GB', 'zh-TW'])).toBe('en');
  expect(preferred(['fr'])).toBe('en');
  expect(preferred([])).toBe('en');
});

test('words come in the language of the page, with what belongs in them', () => {
  expect(t('shell.write_to', { name: 'Ada' })).toBe('Write to Ada');
  setLanguage('zh-TW');
  expect(t('shell.write_to', { name: 'Ada' })).toBe('傳訊息給 Ada');
});

test('a value that looks like a place for another stays as it is', () => {
  expect(t('shell.alert_mention', { name: '{room}', room: 'general' })).toBe('{room} in general');
  expect(t('shell.write_to', { name: '$& $1' })).toBe('Write to $& $1');
});

test('counts have the plural of their language', () => {
  expect([0, 1, 2, 1200].map((count) => plural('shell.unread', count))).toEqual(['0 new messages', '1 new message', '2 new messages', '1,200 new messages']);
  setLanguage('zh-TW');
  expect([1, 2].map((count) => plural('shell.unread', count))).toEqual(['1 則新訊息', '2 則新訊息']);
});

test('a key put together at run time falls back on what is given', () => {
  expect(tOr('common.role_admin', 'admin')).toBe('Administrator');
  expect(tOr('common.role_emperor', 'emperor')).toBe('emperor');
  expect(tOr('constructor.name', 'nothing')).toBe('nothing');
});

describe('refusals', () => {
  const refused = (code: string, more = {}) => new HubbubError(code, 'The server’s sentence.', more);

  test('are said by their code, in the language of the page', () => {
    setLanguage('zh-TW');
    expect(errorWords(refused('name_taken'))).toBe('這個名稱已經有人使用，請換一個。');
  });

  test('too many tries come with the time to wait', () => {
    expect(errorWords(refused('rate_limited', { retryAfter: 41.2 }))).toBe('Too many tries. Try again in 42 seconds.');
    expect(errorWords(refused('rate_limited', { retryAfter: 300 }))).toBe('Too many tries. Try again in 5 minutes.');
    expect(errorWords(refused('rate_limited'))).toBe('Too many tries. Wait a little and try again.');
  });

  test('of a code that nobody knows are the server’s own sentence', () => {
    expect(errorWords(refused('brand_new'))).toBe('The server’s sentence.');
  });

  test('may have other words where they mean something else', () => {
    expect(errorWords(refused('wrong_password'), { wrong_password: 'Not this one.' })).toBe('Not this one.');
  });

  test('that are none of the server’s say that something went wrong', () => {
    expect(errorWords(new TypeError('x is not a function'))).toBe('Something went wrong. Try again.');
    expect(errorWords(null)).toBe('Something went wrong. Try again.');
  });
});

describe('times and numbers', () => {
  const now = new Date(2026, 2, 10, 0, 30).getTime();

  test('days are by the calendar, not by 24 hours', () => {
    expect(formatDay(new Date(2026, 2, 10, 0, 5).getTime(), now)).toBe('Today');
    expect(formatDay(new Date(2026, 2, 9, 23, 55).getTime(), now)).toBe('Yesterday');
    expect(formatDay(new Date(2026, 2, 8, 12).getTime(), now)).toBe('Sunday, March 8');
    expect(formatDay(new Date(2025, 11, 31, 12).getTime(), now)).toBe('Wednesday, December 31, 2025');
    setLanguage('zh-TW');
    expect(formatDay(new Date(2026, 2, 9, 23, 55).getTime(), now)).toBe('昨天');
  });

  test('what is long ago is told roughly', () => {
    expect(formatRelative(now - 20_000, now)).toBe('now');
    expect(formatRelative(now - 300_000, now)).toBe('5 minutes ago');
    expect(formatRelative(now - 7_200_000, now)).toBe('2 hours ago');
    expect(formatRelative(now + 3 * 86_400_000, now)).toBe('in 3 days');
  });

  test('a time to wait is rounded up', () => {
    expect([0.2, 1, 59.1, 90, 91, 7200].map(formatWait)).toEqual(['1 second', '1 second', '60 seconds', '90 seconds', '2 minutes', '2 hours']);
  });

  test('lists and sizes are written as the language writes them', () => {
    expect(formatList(['Ada', 'Bob', 'Carol'])).toBe('Ada, Bob, and Carol');
    expect(formatBytes(1_400_000_000)).toBe('1.4 GB');
    expect(formatBytes(0)).toBe('0 byte');
  });
});
