// Small rules of the frame: the banner, the avatar, finding, members, roles, what a browser calls itself.
import { describe, expect, test } from 'vitest';
import type { Item, Member } from '../../src/lib/client';
import { agentName } from '../../src/pages/account/agent';
import { mayManage, rolesFor } from '../../src/pages/admin/roles';
import { cut, read, write } from '../../src/pages/search/question';
import { colourOf, lettersOf } from '../../src/shell/avatar';
import { bannerAt } from '../../src/shell/banner';
import { matches, score } from '../../src/shell/find';
import { heightLeft } from '../../src/shell/keyboard';
import { groupMembers, lastMembership } from '../../src/shell/members';

describe('the connection’s banner', () => {
  const waiting = { kind: 'waiting', why: 'lost', lostAt: 1000, retryAt: 9000 } as const;

  test('is not there in the first three seconds', () => {
    expect(bannerAt(waiting, 1000, 3999)).toBeNull();
    expect(bannerAt(waiting, 1000, 4000)).toEqual({ seconds: 5 });
  });

  test('counts down to the next try, and says when it is tried', () => {
    expect(bannerAt(waiting, 1000, 8001)).toEqual({ seconds: 1 });
    expect(bannerAt(waiting, 1000, 9000)).toEqual({ seconds: null });
    expect(bannerAt({ kind: 'connecting', since: 9000 }, 1000, 9100)).toEqual({ seconds: null });
  });

  test('is gone when the connection is back, or over', () => {
    expect(bannerAt({ kind: 'online' }, 1000, 9000)).toBeNull();
    expect(bannerAt({ kind: 'ended', why: 'logged_out' }, 1000, 9000)).toBeNull();
  });
});

describe('avatars', () => {
  test('have letters of the name, in any script', () => {
    expect(['Ada Lovelace', 'bob', '李小明', 'ada.lovelace', 'Élodie', '  ', '🎉 party', 'Jean-Luc de la Tour'].map(lettersOf)).toEqual(['AL', 'B', '明', 'AL', 'É', '?', 'P', 'JT']);
  });

  test('have one colour for a name, however it is written', () => {
    expect(colourOf('Ada')).toBe(colourOf('ada'));
    expect(new Set(['ada', 'bob', 'carol', 'dan', 'eve', 'finn', 'gus', 'hana'].map(colourOf)).size).toBeGreaterThan(4);
  });
});

describe('finding by part of a name', () => {
  test('the same comes first, then its beginning, a word’s beginning, a part, the letters in order', () => {
    const points = ['general', 'general talk', 'the general', 'degeneral', 'g-e-n-e-r-a-l', 'random'].map((name) => score('general', name));
    expect(points).toEqual([5, 4, 3, 2, 1, 0]);
  });

  test('case, accents and width make no difference', () => {
    expect(matches('cafe', 'Café')).toBe(true);
    expect(matches('ＡＤＡ', 'ada')).toBe(true);
    expect(matches('書', '圖書館')).toBe(true);
    expect(matches('talk gen', 'General talk')).toBe(true);
    expect(matches('talk x', 'General talk')).toBe(false);
  });
});

describe('members', () => {
  const member = (name: string, role: Member['role'] = 'member'): Member => ({ name, displayName: name, role });

  test('who is here stands apart from who belongs, owners first', () => {
    const { here, away, hidden } = groupMembers([member('zoe', 'owner'), member('ada'), member('bob')], ['bob', 'visitor', 'zoe']);
    expect(here).toEqual([{ name: 'zoe', role: 'owner' }, { name: 'bob', role: 'member' }, { name: 'visitor', role: null }]);
    expect([away, hidden]).toEqual([[{ name: 'ada', role: 'member' }], 0]);
  });

  test('of very many, some are listed and the others counted', () => {
    const { away, hidden } = groupMembers(Array.from({ length: 1000 }, (_, number) => member(`p${number}`)), []);
    expect([away.length, hidden]).toEqual([300, 700]);
  });

  test('the list is asked for anew after the last entry that changed it', () => {
    const notice = (seq: number, what: object) => ({ kind: 'notice', room: 'r', seq, what }) as Item;
    const topic = { type: 'changed', member: null, topic: 'x' };
    expect(lastMembership([notice(3, { type: 'joined', user: 'ada', by: null }), notice(5, topic)])).toBe(3);
    expect(lastMembership([notice(7, { ...topic, member: 'ada', role: 'owner' })])).toBe(7);
    expect(lastMembership([])).toBe(0);
  });
});

test('the page makes room for a keyboard that lies over it, not for a bar or a closer look', () => {
  expect(heightLeft(800, { height: 500.4, scale: 1 })).toBe(500);
  expect(heightLeft(800, { height: 750, scale: 1 })).toBeNull();
  expect(heightLeft(800, { height: 400, scale: 2 })).toBeNull();
});

test('nobody is offered what the server would refuse', () => {
  expect(rolesFor('owner')).toEqual(['owner', 'admin', 'member', 'bot']);
  expect(rolesFor('admin')).toEqual(['admin', 'member', 'bot']);
  expect(rolesFor('member')).toEqual([]);
  expect(mayManage('admin', 'owner')).toBe(false);
});

test('a session is named by its browser and its system', () => {
  expect(agentName('Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0')).toBe('Firefox, Windows');
  expect(agentName('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36')).toBe('Chrome, Linux');
  expect(agentName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1')).toBe('Safari, iOS');
  expect(agentName('curl/8.5.0')).toBe('curl');
  expect(agentName('')).toBeNull();
});

describe('a question to the search', () => {
  const empty = { words: '', from: '', in: '', after: '', before: '' };

  test.each([
    ['tea', { ...empty, words: 'tea' }],
    ['tea cake from:ada', { ...empty, words: 'tea cake', from: 'ada' }],
    ['tea in:"the lobby" after:2026-03-01 before:2026-04-01', { ...empty, words: 'tea', in: 'the lobby', after: '2026-03-01', before: '2026-04-01' }],
    ['"from:ada is text" in:"@ada,bob"', { ...empty, words: '"from:ada is text"', in: '@ada,bob' }],
    ['tea from:ada', { ...empty, words: 'tea', from: 'ada' }],
    ['after:yesterday', { ...empty, words: 'after:yesterday' }],
  ])('%s', (text, question) => {
    expect(read(text)).toEqual(question);
    expect(read(write(question))).toEqual(question);
  });

  test('of two filters of a kind both are kept, so that the server finds any of them', () => {
    const question = read('tea from:ada from:bob');
    expect(question).toEqual({ ...empty, words: 'tea from:bob', from: 'ada' });
    expect(write(question)).toBe('tea from:bob from:ada');
  });

  test('what was found is marked where it is', () => {
    expect(cut('a cat sat', [[2, 5]])).toEqual([{ text: 'a ', found: false }, { text: 'cat', found: true }, { text: ' sat', found: false }]);
    expect(cut('圖書館', [[0, 3]])).toEqual([{ text: '圖書館', found: true }]);
    expect(cut('abc', [[0, 1], [1, 2]])).toEqual([{ text: 'a', found: true }, { text: 'b', found: true }, { text: 'c', found: false }]);
    expect(cut('abc', [])).toEqual([{ text: 'abc', found: false }]);
  });
});
