import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Alert } from '../../src/lib/client';
import { WINDOW } from '../../src/lib/client';
import { FakeServer } from './fake_server';
import { done, page, pass, settle, START, texts } from './world';

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

/** Bob says `count` things, named by their number. */
function bobSays(count: number, prefix = 'b'): number[] {
  return Array.from({ length: count }, (_, index) => server.say(general, 'bob', `${prefix}${index + 1}`));
}

async function opened(name = 'general') {
  const { client, fake } = page(server);
  client.start();
  const view = client.open(name);
  await settle();
  return { client, fake, view };
}

/** What the view holds is what the log says, from its first item to its last, without a hole. */
function expectTruth(view: Awaited<ReturnType<typeof opened>>['view']): void {
  const { items } = view.stretch.get();
  const first = items[0]?.seq ?? 0;
  const last = items.at(-1)?.seq ?? 0;
  const truth = [...general.now.entries()].filter(([seq]) => seq >= first && seq <= last);
  const held = items.filter((item) => item.kind === 'message');
  expect(held.map(({ seq, text, deleted, reactions }) => [seq, text, deleted, Object.fromEntries(reactions)])).toEqual(
    truth.map(([seq, body]) => [seq, body.message, body.deleted ?? false, body.reactions ?? {}]),
  );
}

describe('opening a room', () => {
  it('shows the last messages when all was read', async () => {
    bobSays(120);
    general.read.set('ada', general.head);
    const { view } = await opened();
    const { state, items, hasEarlier, hasLater, firstUnread } = view.stretch.get();
    expect({ state, count: items.length, hasEarlier, hasLater, firstUnread }).toEqual({ state: 'ready', count: 50, hasEarlier: true, hasLater: false, firstUnread: null });
    expect(texts(view).at(-1)).toBe('b120');
  });

  it('begins around the first unread', async () => {
    const seqs = bobSays(300);
    general.read.set('ada', seqs[99] ?? 0);
    const { view } = await opened();
    const { items, hasEarlier, hasLater, firstUnread, newer } = view.stretch.get();
    expect(firstUnread).toBe(seqs[100]);
    expect([items[0]?.seq, items.at(-1)?.seq]).toEqual([seqs[76], seqs[125]]);
    expect({ hasEarlier, hasLater, newer }).toEqual({ hasEarlier: true, hasLater: true, newer: general.head - (seqs[125] ?? 0) });
  });

  it('draws no line above what is one’s own', async () => {
    general.read.set('ada', general.head);
    server.say(general, 'ada', 'mine');
    const seq = server.say(general, 'bob', 'his');
    const { view, client } = await opened();
    expect(view.stretch.get().firstUnread).toBe(seq);
    expect(client.rooms.get()[0]?.unread).toBe(1);
  });

  it('finds a room by another writing of its name, and by a name it had', async () => {
    const { view, client } = await opened('GENERAL');
    expect(view.room.get()?.room).toBe('general');
    server.rename(general, 'lobby');
    await settle();
    const again = client.open('general');
    await settle();
    expect(again.room.get()?.room).toBe('lobby');
  });

  it('says that there is no such room, and makes none', async () => {
    const { view } = await opened('nowhere');
    expect(view.stretch.get()).toMatchObject({ state: 'refused', error: { code: 'no_such_room' } });
    expect(server.rooms.has('nowhere')).toBe(false);
  });

  it('is at once there when it was open before', async () => {
    bobSays(30);
    server.room('other', 'public', 'ada');
    const { client, view } = await opened();
    view.close();
    const other = client.open('other');
    await settle();
    const requests = server.requests.length;
    server.say(general, 'bob', 'meanwhile');
    await settle();
    other.close();
    const again = client.open('general');
    expect(again.stretch.get().state).toBe('ready');
    expect(texts(again).at(-1)).toBe('meanwhile');
    expect(server.requests.length).toBe(requests);
  });

  it('stays entered in the last ten rooms, and leaves those before', async () => {
    const names = Array.from({ length: 14 }, (_, index) => server.room(`room-${index}`, 'public', 'ada').name);
    const { client } = await opened();
    for (const name of names) {
      const view = client.open(name);
      await settle();
      view.close();
    }
    await settle();
    const entered = [...server.connection.rooms].map((room) => room.name).sort();
    expect(entered).toEqual(['general', ...names.slice(-10)].sort());
  });
});

describe('what comes live', () => {
  it('shows messages, edits, deletions, reactions and who joined', async () => {
    const { view } = await opened();
    const [one = 0, two = 0] = bobSays(2);
    server.append(general, 'member_joined', { user: 'cleo', by: 'bob' });
    server.edit(general, 'bob', one, 'b1, better');
    server.append(general, 'reacted', { target: one, from: 'ada', emoji: '👍' });
    server.append(general, 'reacted', { target: one, from: 'cleo', emoji: '👍' });
    server.append(general, 'reacted', { target: one, from: 'ada', emoji: '👍', remove: true });
    server.append(general, 'message_deleted', { target: two, from: 'bob' });
    await settle();
    expect(texts(view)).toEqual(['b1, better', '(deleted)', '(joined)']);
    const [first] = view.stretch.get().items;
    expect(first?.kind === 'message' && [...first.reactions]).toEqual([['👍', ['cleo']]]);
    expect(first?.kind === 'message' && first.edited).toBe(Date.now() - 400);
    expectTruth(view);
  });

  it('tells its subscribers once for many entries', async () => {
    const { view } = await opened();
    let told = 0;
    view.stretch.subscribe(() => told++);
    bobSays(100);
    await pass(30);
    expect(told).toBeLessThanOrEqual(4);
    expect(texts(view)).toHaveLength(100);
  });

  it('takes an entry that comes twice once', async () => {
    const { view } = await opened();
    const [seq = 0] = bobSays(3);
    server.connection.say('new_message', { room: 'general', seq, ...general.entries[seq - 1]?.body });
    bobSays(1, 'after');
    await settle();
    expect(texts(view)).toEqual(['b1', 'b2', 'b3', 'after1']);
    expect(server.connection.got.filter((event) => event.type === 'enter')).toHaveLength(1);
  });

  it('asks for what is missing when a number is left out, and shows nothing after it before', async () => {
    const { view } = await opened();
    const { connection } = server;
    connection.rooms.delete(general);
    bobSays(3);
    connection.rooms.add(general);
    bobSays(1, 'after');
    await settle();
    expect(texts(view)).toEqual(['b1', 'b2', 'b3', 'after1']);
    expectTruth(view);
  });

  it('counts entries of a type it does not know', async () => {
    const { view } = await opened();
    server.append(general, 'polled' as 'reacted', { question: '?' });
    bobSays(1);
    await settle();
    expect(texts(view)).toEqual(['b1']);
    expect(server.connection.got.filter((event) => event.type === 'enter')).toHaveLength(1);
  });

  it('has at most WINDOW items, however much comes', async () => {
    const { view, client } = await opened();
    for (let count = 0; count < 100; count++) {
      bobSays(100);
      await pass(100);
    }
    const { items, hasEarlier } = view.stretch.get();
    expect(items).toHaveLength(WINDOW);
    expect(hasEarlier).toBe(true);
    expect(client.rooms.get()[0]?.unread).toBe(10_000);
    expectTruth(view);
  });

  it('lets nothing go above a reader who does not follow, and counts what comes', async () => {
    const { view } = await opened();
    bobSays(WINDOW - 10);
    await settle();
    const [first] = view.stretch.get().items;
    view.follow(false);
    bobSays(50);
    await settle();
    const { items, hasLater, newer } = view.stretch.get();
    expect({ first: items[0]?.seq, count: items.length, hasLater, newer }).toEqual({ first: first?.seq, count: WINDOW, hasLater: true, newer: 40 });
    await done(view.loadLater());
    expect(texts(view).at(-1)).toBe('b50');
    expectTruth(view);
  });
});

describe('coming back', () => {
  it('resumes by number, page after page, and shows no hole', async () => {
    const { view } = await opened();
    bobSays(5);
    await settle();
    server.kill();
    bobSays(90, 'c');
    server.edit(general, 'bob', 5, 'edited while away');
    server.up = true;
    await pass(5_000);
    expect(texts(view).length).toBe(95);
    expectTruth(view);
    const enters = server.connection.got.filter((event) => event.type === 'enter');
    expect(enters[0]?.payload).toMatchObject({ room: 'general', epoch: 'epoch-1' });
    expect(enters.length).toBeGreaterThan(4);
    bobSays(1, 'live');
    await settle();
    expect(texts(view).at(-1)).toBe('live1');
  });

  it('resumes after a gap', async () => {
    const { view } = await opened();
    server.connection.behind.add(general);
    bobSays(30);
    server.connection.say('gap', { room: 'general', from: 4, to: general.head });
    await settle();
    expect(texts(view)).toHaveLength(30);
    expectTruth(view);
  });

  it('begins anew when the log is another one', async () => {
    const { view, client } = await opened();
    bobSays(20);
    view.markRead(general.head);
    await settle();
    server.kill();
    server.epoch = 'epoch-2';
    server.rooms.clear();
    general = server.room('general', 'public', 'ada', 'bob');
    bobSays(3, 'restored');
    server.up = true;
    await pass(5_000);
    expect(texts(view)).toEqual(['restored1', 'restored2', 'restored3']);
    expect(client.rooms.get()[0]).toMatchObject({ head: general.head, unread: 3 });
    bobSays(1);
    await settle();
    expectTruth(view);
  });

  it('does not fetch thousands that were missed: it stays where the reader was', async () => {
    const { view } = await opened();
    bobSays(10);
    await settle();
    server.kill();
    bobSays(5_000, 'missed');
    server.up = true;
    await pass(5_000);
    expect(server.requests.length).toBeLessThan(20);
    expect(texts(view)).toContain('b10');
    expect(view.stretch.get()).toMatchObject({ state: 'ready', hasLater: true });
    expectTruth(view);
    await done(view.loadEnd());
    expect(texts(view).at(-1)).toBe('missed5000');
    expect(view.stretch.get()).toMatchObject({ hasLater: false, newer: 0 });
    bobSays(1, 'live');
    await settle();
    expect(texts(view).at(-1)).toBe('live1');
    expectTruth(view);
  });

  it('goes on where it is after the room was renamed while away', async () => {
    const { view } = await opened();
    bobSays(3);
    await settle();
    server.kill();
    server.rename(general, 'lobby');
    bobSays(1, 'there');
    server.up = true;
    await pass(5_000);
    expect(view.room.get()?.room).toBe('lobby');
    expect(texts(view)).toEqual(['b1', 'b2', 'b3', '(changed)', 'there1']);
  });

  it('closes a room that one was removed from', async () => {
    const { view, client } = await opened();
    general.members.delete('ada');
    server.connection.rooms.delete(general);
    server.connection.say('exited', { room: 'general' });
    await settle();
    expect(view.stretch.get()).toMatchObject({ state: 'refused', error: { code: 'left' } });
    expect(client.rooms.get()).toEqual([]);
    server.kill();
    server.up = true;
    await pass(5_000);
    expect(general.members.has('ada')).toBe(false);
  });
});

describe('pages', () => {
  it('loads earlier ones up to the beginning, and later ones up to the end', async () => {
    const seqs = bobSays(1_000);
    general.read.set('ada', general.head);
    const { view } = await opened();
    while (view.stretch.get().hasEarlier) {
      await done(view.loadEarlier());
      expect(view.stretch.get().items.length).toBeLessThanOrEqual(WINDOW);
      expectTruth(view);
    }
    expect(view.stretch.get().items.find((item) => item.kind === 'message')?.seq).toBe(seqs[0]);
    expect(view.stretch.get().hasLater).toBe(true);
    server.say(general, 'bob', 'live');
    await settle();
    expect(texts(view)).not.toContain('live');
    expect(view.stretch.get().newer).toBeGreaterThan(600);
    while (view.stretch.get().hasLater) await done(view.loadLater());
    expect(texts(view).at(-1)).toBe('live');
    server.say(general, 'bob', 'live again');
    await settle();
    expect(texts(view).slice(-2)).toEqual(['live', 'live again']);
    expectTruth(view);
  });

  it('goes to a number and back to the end', async () => {
    const seqs = bobSays(1_000);
    general.read.set('ada', general.head);
    const { view } = await opened();
    await done(view.loadAround(seqs[499] ?? 0));
    expect(texts(view)).toContain('b500');
    expectTruth(view);
    await done(view.loadEnd());
    expect(texts(view).at(-1)).toBe('b1000');
    expect((await done(view.message(seqs[2] ?? 0)))?.text).toBe('b3');
    expect(await done(view.message(1))).toBeNull();
  });

  it('loses no change that comes live while an older page is on its way', async () => {
    const seqs = bobSays(300);
    general.read.set('ada', general.head);
    const { view } = await opened();
    server.holdHistory = [];
    const loading = view.loadEarlier();
    await settle();
    const target = seqs[220] ?? 0;
    server.append(general, 'reacted', { target, from: 'bob', emoji: '🎉' });
    server.edit(general, 'bob', target, 'changed meanwhile');
    server.append(general, 'message_deleted', { target: seqs[221], from: 'bob' });
    await settle();
    for (const go of server.holdHistory) go();
    await done(loading);
    expect(texts(view)).toContain('changed meanwhile');
    expectTruth(view);
  });

  it('does not join a page to a stretch that was cut meanwhile', async () => {
    bobSays(600);
    general.read.set('ada', general.head);
    const { view } = await opened();
    server.holdHistory = [];
    const loading = view.loadEarlier();
    await settle();
    bobSays(WINDOW + 50, 'n');
    await settle();
    for (const go of server.holdHistory) go();
    await done(loading);
    expectTruth(view);
  });

  it('forgets a page that was asked for before a jump', async () => {
    const seqs = bobSays(500);
    general.read.set('ada', general.head);
    const { view } = await opened();
    server.holdHistory = [];
    const slow = view.loadAround(seqs[10] ?? 0);
    await settle();
    const held = server.holdHistory;
    server.holdHistory = null;
    await done(view.loadEnd());
    for (const go of held) go();
    await done(slow);
    expect(texts(view).at(-1)).toBe('b500');
    expectTruth(view);
  });

  it('ends as the log is, whatever happens in whichever order', async () => {
    // A small generator of its own, so that a failure can be run again.
    let state = 7;
    const random = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * below);
    };
    const { view } = await opened();
    for (let step = 0; step < 600; step++) {
      const messages = [...general.now.entries()].filter(([, body]) => body.deleted !== true);
      const target = messages[random(messages.length)]?.[0];
      const what = random(12);
      if (what < 5 || target === undefined) bobSays(1 + random(4), `s${step}-`);
      else if (what === 5) server.edit(general, 'bob', target, `edit ${step}`);
      else if (what === 6) server.append(general, 'message_deleted', { target, from: 'bob' });
      else if (what === 7) server.append(general, 'reacted', { target, from: `p${random(9)}`, emoji: '👍' });
      else if (what === 8) server.connection.end(1006);
      else if (what === 9) void view.loadEarlier().catch(() => {});
      else if (what === 10) void view.loadLater().catch(() => {});
      else void (random(2) === 0 ? view.loadEnd() : view.loadAround(target)).catch(() => {});
      await pass(random(30));
      while (server.connections.size === 0) await pass(1_000);
      if (step % 7 === 0) {
        await settle();
        expectTruth(view);
      }
    }
    await settle();
    await done(view.loadEnd());
    expect(view.stretch.get().items.at(-1)?.seq).toBe([...general.now.keys()].at(-1));
    expectTruth(view);
  });
});

describe('requests', () => {
  it('edit, delete and react resolve when it is done, and reject with the reason', async () => {
    const { view } = await opened();
    const mine = server.say(general, 'ada', 'mine');
    const his = server.say(general, 'bob', 'his');
    await settle();
    const both = Promise.all([view.edit(mine, 'mine, better'), view.react(his, '👍', true)]);
    const refused = expect(view.edit(his, 'not mine')).rejects.toMatchObject({ name: 'HubbubError', code: 'forbidden' });
    await settle();
    await both;
    await refused;
    expect(texts(view)).toEqual(['mine, better', 'his']);
    void view.delete(mine);
    await settle();
    expect(texts(view)).toEqual(['(deleted)', 'his']);
  });

  it('are refused at once without a connection', async () => {
    const { view } = await opened();
    server.kill();
    await expect(done(view.edit(3, 'x'))).rejects.toMatchObject({ code: 'not_connected', retry: true });
  });

  it('are asked again with their old id when the connection breaks before the answer', async () => {
    const { view } = await opened();
    const mine = server.say(general, 'ada', 'mine');
    await settle();
    server.connection.dead = true;
    const edited = view.edit(mine, 'better');
    await pass(1);
    server.kill();
    server.up = true;
    await pass(3_000);
    await edited;
    expect(texts(view)).toEqual(['better']);
  });
});

describe('alerts', () => {
  let alerts: string[];

  async function listening(kind = 'public') {
    const world = await opened();
    alerts = [];
    world.client.onAlert(({ why, message }: Alert) => alerts.push(`${why}: ${message.text}`));
    void kind;
    return world;
  }

  it('are for mentions and direct messages, not for one’s own, nor for others', async () => {
    const direct = server.room('@ada,bob', 'direct', 'ada', 'bob');
    await listening();
    server.say(general, 'bob', 'nothing');
    server.say(general, 'bob', 'hello @ada');
    server.say(general, 'bob', '@here all');
    server.say(general, 'bob', 'mail a@ada.example');
    server.say(general, 'ada', '@here from me');
    server.say(direct, 'bob', 'psst');
    await pass(2_000);
    expect(alerts).toEqual(['mention: hello @ada', 'mention: @here all', 'direct: psst']);
  });

  it('come for rooms that are not entered, too', async () => {
    const other = server.room('other', 'public', 'ada', 'bob');
    await listening();
    server.say(other, 'bob', 'just so');
    server.say(other, 'bob', 'are you there, @ada?');
    await pass(2_000);
    expect(alerts).toEqual(['mention: are you there, @ada?']);
  });

  it('come for rooms that are not entered, also if their history tells of it before the news does', async () => {
    const other = server.room('other', 'public', 'ada', 'bob');
    await listening();
    server.say(other, 'bob', 'just so');
    await pass(100);
    server.headsLateMs = 3_000;
    server.say(other, 'bob', 'are you there, @ada?');
    await pass(6_000);
    expect(alerts).toEqual(['mention: are you there, @ada?']);
  });

  it('come for the first message of somebody who never wrote before', async () => {
    await listening();
    server.say(server.room('@ada,carol', 'direct', 'ada', 'carol'), 'carol', 'hello, we have not met');
    await pass(3_000);
    expect(alerts).toEqual(['direct: hello, we have not met']);
  });

  it('do not come for what was missed for more than a minute', async () => {
    await listening();
    server.kill();
    server.say(general, 'bob', 'old @ada');
    await pass(90_000);
    server.say(general, 'bob', 'fresh @ada');
    server.up = true;
    await pass(32_000);
    expect(alerts).toEqual(['mention: fresh @ada']);
  });

  it('do not come for what was read in another tab', async () => {
    await listening();
    const { view: other } = await opened();
    server.say(general, 'bob', '@ada look');
    await pass(100);
    other.markRead(general.head);
    await pass(2_000);
    expect(alerts).toEqual([]);
  });
});
