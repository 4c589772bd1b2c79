import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keyOf, mentions, othersOf } from '../../src/lib/client/names';
import { FakeServer } from './fake_server';
import { page, pass, settle, START } from './world';

let server: FakeServer;
let general: ReturnType<FakeServer['room']>;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  server = new FakeServer();
  general = server.room('general', 'public', 'ada', 'bob');
});

afterEach(() => {
  vi.useRealTimers();
});

async function started() {
  const { client, fake } = page(server);
  client.start();
  await settle();
  const of = (name: string) => client.rooms.get().find((room) => room.room === name);
  const counts = (name: string) => [of(name)?.unread, of(name)?.mentions];
  return { client, fake, of, counts };
}

describe('names', () => {
  it('are compared without case and forms that look alike', () => {
    expect(keyOf('Straße')).toBe(keyOf('STRASSE'));
    expect(keyOf('ΣΑΣ')).toBe(keyOf('σας'));
    expect(keyOf('Ａｄａ')).toBe('ada');
  });

  it.each([
    ['hello @ada', true],
    ['@Ada, look', true],
    ['(@ada)', true],
    ['@here now', true],
    ['well, @ada.', true],
    ['a@ada', false],
    ['http://x/@ada', false],
    ['@ada.lovelace', false],
    ['@adam', false],
    ['ada', false],
    ['@@ada', false],
  ])('are mentioned as the server sees it: %s', (text, mentioned) => {
    expect(mentions(text, 'ada')).toBe(mentioned);
  });

  it('of a direct room say who else is in it', () => {
    expect(othersOf('@ada,bob,cleo', 'Ada')).toEqual(['bob', 'cleo']);
    expect(othersOf('general', 'ada')).toEqual([]);
  });
});

describe('unread', () => {
  it('counts what others wrote, not one’s own, nor reactions and joins, in a room that is entered', async () => {
    const { client, counts } = await started();
    client.open('general');
    await settle();
    const seq = server.say(general, 'bob', 'one @ada');
    server.say(general, 'ada', 'own, from another device');
    server.append(general, 'reacted', { target: seq, from: 'bob', emoji: '👍' });
    server.append(general, 'member_joined', { user: 'cleo' });
    await settle();
    expect(counts('general')).toEqual([1, 1]);
  });

  it('counts messages in a room that is not entered too, as soon as it has looked', async () => {
    const side = server.room('side', 'public', 'ada', 'bob');
    server.append(side, 'member_joined', { user: 'cleo' });
    server.say(side, 'cleo', 'one');
    const { counts } = await started();
    expect(counts('side')).toEqual([3, 0]);
    await pass(1_500);
    expect(counts('side')).toEqual([1, 0]);
    expect(side.read.get('ada')).toBe(4); // nobody has to look at who joined
    await pass(10_000);
    server.append(side, 'reacted', { target: 5, from: 'bob', emoji: '👍' });
    server.say(side, 'bob', 'two @ada');
    await pass(1_500);
    expect(counts('side')).toEqual([2, 1]);
    expect(server.connection.got.some((event) => event.type === 'enter' && event.payload.room === 'side')).toBe(false);
  });

  it('looks seldom at a room that is not entered, and not at all where much is unread', async () => {
    const side = server.room('side', 'public', 'ada', 'bob');
    const busy = server.room('busy', 'public', 'ada', 'bob');
    for (let count = 0; count < 30; count++) server.say(busy, 'bob', 'x');
    const { counts } = await started();
    for (let count = 0; count < 10; count++) {
      server.say(side, 'bob', 'x');
      await pass(1_000);
    }
    await pass(10_000);
    const looked = (name: string) => server.requests.filter((request) => request.includes(`/${name}/messages`)).length;
    expect([looked('side'), looked('busy')]).toEqual([2, 0]);
    expect([counts('side'), counts('busy')]).toEqual([[10, 0], [31, 0]]);
  });

  it('does not stick: what follows the last item seen is read with it', async () => {
    const { client, counts, of } = await started();
    const view = client.open('general');
    await settle();
    const seq = server.say(general, 'bob', 'one');
    server.append(general, 'reacted', { target: seq, from: 'bob', emoji: '👍' });
    await settle();
    view.markRead(seq);
    expect(counts('general')).toEqual([1, 0]);
    await pass(1_500);
    expect(counts('general')).toEqual([0, 0]);
    expect(general.read.get('ada')).toBe(general.head);
    server.append(general, 'reacted', { target: seq, from: 'cleo', emoji: '👍' });
    server.say(general, 'ada', 'own');
    await pass(1_500);
    expect(counts('general')).toEqual([0, 0]);
    expect(of('general')?.head).toBe(general.head);
    expect(general.read.get('ada')).toBe(general.head);
  });

  it('goes down in all tabs when it is read in one', async () => {
    const one = await started();
    const two = await started();
    const view = one.client.open('general');
    await settle();
    const seq = server.say(general, 'bob', 'hello @ada');
    await pass(1_500);
    expect([one.counts('general'), two.counts('general')]).toEqual([
      [1, 1],
      [1, 1],
    ]);
    view.markRead(seq);
    await pass(1_500);
    expect([one.counts('general'), two.counts('general')]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('never goes back, and what was read offline is told when the connection is back', async () => {
    const { client, counts } = await started();
    const view = client.open('general');
    await settle();
    const [one, two] = [server.say(general, 'bob', 'one'), server.say(general, 'bob', 'two')];
    await settle();
    server.kill();
    view.markRead(two);
    view.markRead(one);
    await settle();
    expect(counts('general')).toEqual([0, 0]);
    server.up = true;
    await pass(5_000);
    expect(general.read.get('ada')).toBe(general.head);
    expect(counts('general')).toEqual([0, 0]);
  });

  it('is told to the server seldom, but the last of it always', async () => {
    const { client } = await started();
    const view = client.open('general');
    await settle();
    for (let count = 0; count < 100; count++) {
      const seq = server.say(general, 'bob', 'x');
      await pass(30);
      view.markRead(seq);
    }
    await pass(2_000);
    expect(server.connection.got.filter((event) => event.type === 'mark_read').length).toBeLessThan(8);
    expect(general.read.get('ada')).toBe(general.head);
  });

  it('is told at once when the page may never run again', async () => {
    const { client, fake } = await started();
    const view = client.open('general');
    await settle();
    view.markRead(server.say(general, 'bob', 'one') - 1);
    await settle();
    server.say(general, 'bob', 'two');
    await pass(50);
    view.markRead(general.head);
    fake.sign('hidden');
    await pass(5);
    expect(general.read.get('ada')).toBe(general.head);
  });

  it('comes for rooms that are not entered from the server’s news', async () => {
    const other = server.room('other', 'public', 'ada', 'bob');
    other.read.set('ada', other.head);
    const { counts } = await started();
    server.say(other, 'bob', 'one');
    server.say(other, 'bob', 'two @ada');
    await settle();
    expect(counts('other')).toEqual([2, 1]);
  });
});

describe('the list', () => {
  it('is in order of activity, what was active last first', async () => {
    const other = server.room('other', 'public', 'ada', 'bob');
    const third = server.room('third', 'public', 'ada', 'bob');
    const { client } = await started();
    const names = () => client.rooms.get().map((room) => room.room);
    server.say(other, 'bob', 'x');
    await pass(1_000);
    server.say(third, 'bob', 'x');
    await pass(1_000);
    expect(names()).toEqual(['third', 'other', 'general']);
    server.say(other, 'bob', 'y');
    await pass(1_000);
    expect(names()).toEqual(['other', 'third', 'general']);
  });

  it('says of a direct room who is in it, and whether they are there', async () => {
    server.room('@ada,bob', 'direct', 'ada', 'bob');
    const { client, of } = await started();
    expect(of('@ada,bob')).toMatchObject({ kind: 'direct', others: ['bob'], online: false });
    server.connection.say('presence', { room: '@ada,bob', came: ['bob'], went: [] });
    await settle();
    expect(of('@ada,bob')?.online).toBe(true);
    server.connection.say('presence', { room: '@ada,bob', came: [], went: ['bob'] });
    await settle();
    expect(of('@ada,bob')?.online).toBe(false);
    const view = client.open('@bob');
    await settle();
    expect(view.room.get()?.room).toBe('@ada,bob');
  });

  it('shows the messages of a direct room that was entered without them', async () => {
    const direct = server.room('@ada,bob', 'direct', 'ada', 'bob');
    for (let count = 0; count < 60; count++) server.say(direct, 'bob', `d${count}`);
    direct.read.set('ada', direct.head - 2);
    const { client, counts } = await started();
    expect(counts('@ada,bob')).toEqual([2, 0]);
    server.say(direct, 'bob', 'live');
    await settle();
    expect(counts('@ada,bob')).toEqual([3, 0]);
    const view = client.open('@ada,bob');
    await settle();
    const { items, firstUnread } = view.stretch.get();
    expect(items.map((item) => (item.kind === 'message' ? item.text : '')).slice(-3)).toEqual(['d58', 'd59', 'live']);
    expect(items.find((item) => item.seq === firstUnread)).toMatchObject({ text: 'd58' });
    server.say(direct, 'bob', 'more');
    await settle();
    expect(view.stretch.get().items.at(-1)).toMatchObject({ text: 'more' });
  });

  it('has a room that one was invited to, and one that was renamed under its new name alone', async () => {
    const other = server.room('other', 'public', 'ada', 'bob');
    const { client } = await started();
    const names = () => client.rooms.get().map((room) => room.room).sort();
    const secret = server.room('secret', 'private', 'bob');
    server.join(secret, 'ada');
    server.say(secret, 'bob', 'welcome');
    await pass(2_000);
    expect(names()).toEqual(['general', 'other', 'secret']);
    expect(client.rooms.get().find((room) => room.room === 'secret')).toMatchObject({ kind: 'private', unread: 1 });
    server.rename(other, 'elsewhere');
    await pass(2_000);
    expect(names()).toEqual(['elsewhere', 'general', 'secret']);
  });

  it('enters no more rooms than the server allows, and the open one before the others', async () => {
    server.roomsEntered = 5;
    for (let count = 0; count < 20; count++) server.room(`@ada,p${count}`, 'direct', 'ada', `p${count}`);
    const { client } = page(server);
    client.open('general');
    client.start();
    await pass(3_000);
    expect(server.connection.rooms.size).toBe(5);
    expect([...server.connection.rooms].map((room) => room.name)).toContain('general');
    expect(server.connection.got[0]?.payload).toEqual({ room: 'general' });
  });
});

describe('who is there', () => {
  it('follows who comes and goes', async () => {
    const { client } = await started();
    const view = client.open('general');
    await settle();
    expect(view.present.get()).toEqual({ names: ['ada'], count: 1 });
    server.connection.say('presence', { room: 'general', came: ['bob', 'cleo'], went: [] });
    server.connection.say('presence', { room: 'general', came: [], went: ['bob'] });
    await settle();
    expect(view.present.get()).toEqual({ names: ['ada', 'cleo'], count: 2 });
  });

  it('shows who types until they stop, or their message is there', async () => {
    const { client } = await started();
    const view = client.open('general');
    await settle();
    const types = (user: string) => server.connection.say('typing', { room: 'general', user });
    types('bob');
    types('cleo');
    types('ada');
    await pass(3_000);
    expect(view.typing.get()).toEqual(['bob', 'cleo']);
    types('cleo');
    await pass(2_500);
    expect(view.typing.get()).toEqual(['cleo']);
    server.say(general, 'cleo', 'done');
    await pass(50);
    expect(view.typing.get()).toEqual([]);
  });

  it('says that one types every 3 s at most, and anew after a message', async () => {
    const { client } = await started();
    const view = client.open('general');
    await settle();
    const said = () => server.connection.got.filter((event) => event.type === 'typing').length;
    for (let count = 0; count < 50; count++) {
      view.typed();
      await pass(100);
    }
    expect(said()).toBe(2);
    view.send('done');
    view.typed();
    expect(said()).toBe(3);
  });
});

describe('display names', () => {
  it('are looked up together, once', async () => {
    const { client } = await started();
    expect(client.displayName('bob').get()).toBe('bob');
    client.displayName('cleo');
    client.displayName('bob');
    await settle();
    expect(client.displayName('bob').get()).toBe('BOB');
    expect(client.displayName('ada').get()).toBe('Ada Lovelace');
    expect(server.requests.filter((request) => request.includes('/api/people'))).toEqual(['GET /api/people?names=bob%2Ccleo']);
  });
});
