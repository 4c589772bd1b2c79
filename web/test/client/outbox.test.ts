import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { inOrder, nextToSend, timeAfter, wellFormed, type Kept } from '../../src/lib/client/outbox/kept';
import type { Channel, Locks, Platform } from '../../src/lib/client/platform';
import { FakeServer } from './fake_server';
import { page, pass, pendingTexts, settle, START, texts } from './world';

/** Node's own: the page has none, so its types don't know it. */
declare function setImmediate(run: (value: unknown) => void): void;

let server: FakeServer;
let general: ReturnType<FakeServer['room']>;

beforeEach(() => {
  // fake-indexeddb goes on by setImmediate, which stays real.
  vi.useFakeTimers({ now: START, toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  server = new FakeServer();
  general = server.room('general', 'public', 'ada', 'bob');
});

afterEach(() => {
  vi.useRealTimers();
});

/** What tabs of one browser share. */
class Browser {
  readonly indexedDB: IDBFactory = new IDBFactory();
  readonly channels = new Set<{ name: string; channel: Channel }>();
  readonly queue: (() => void)[] = [];
  readonly remembered = new Map<string, string>();
  holder: { end: (stolen: boolean) => void } | null = null;

  platform(locks: boolean): Partial<Platform> {
    return {
      indexedDB: this.indexedDB,
      channel: (name) => this.#channel(name),
      locks: locks ? this.#locks : null,
      remembered: { get: (key) => this.remembered.get(key) ?? null, set: (key, value) => void this.remembered.set(key, value) },
    };
  }

  #channel(name: string): Channel {
    const channel: Channel = {
      onmessage: null,
      postMessage: (message) => {
        for (const other of this.channels) {
          if (other.channel !== channel && other.name === name) setTimeout(() => other.channel.onmessage?.({ data: structuredClone(message) }), 1);
        }
      },
      close: () => void [...this.channels].filter((one) => one.channel === channel).forEach((one) => this.channels.delete(one)),
    };
    this.channels.add({ name, channel });
    return channel;
  }

  readonly #locks: Locks = {
    request: (_name, options, run) =>
      new Promise((resolve, reject) => {
        const grant = () => {
          let over = false;
          const end = (stolen: boolean) => {
            if (over) return;
            over = true;
            if (stolen) reject(new Error('stolen'));
            else {
              this.holder = null;
              resolve(undefined);
              this.queue.shift()?.();
            }
          };
          this.holder = { end };
          void run().then(() => end(false));
        };
        if ('steal' in options) {
          this.holder?.end(true);
          grant();
          return;
        }
        options.signal.addEventListener('abort', () => {
          const at = this.queue.indexOf(grant);
          if (at >= 0) this.queue.splice(at, 1);
          reject(new Error('aborted'));
        });
        if (this.holder === null) grant();
        else this.queue.push(grant);
      }),
  };
}

/** The clock goes on, and the database with it. */
async function go(ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 20) {
    await pass(20);
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function tab(browser: Browser, locks = true) {
  const life = { alive: true };
  const own = browser.platform(locks);
  const channels: Channel[] = [];
  const alive = (run: () => void) => () => {
    if (life.alive) run();
  };
  const { client, fake } = page(server, {
    ...own,
    channel: (name) => {
      const channel = own.channel?.(name) as Channel;
      channels.push(channel);
      return channel;
    },
    locks: own.locks == null ? null : { request: (...asked) => (life.alive ? (own.locks as Locks).request(...asked) : new Promise(() => {})) },
    setTimeout: (run, ms) => setTimeout(alive(run), ms),
    nextFrame: (run) => void setTimeout(alive(run), 16),
    fetch: (input, init) => (life.alive ? (server.fetch(input as string, init) as Promise<Response>) : new Promise<Response>(() => {})),
  });
  client.start();
  const view = client.open('general');
  await go(400);
  return { client, fake, view, life, channels };
}

/** The tab is gone, with no time to say so: nothing in it runs any more. */
function crash({ fake, life, channels }: Awaited<ReturnType<typeof tab>>, browser: Browser): void {
  life.alive = false;
  for (const channel of channels) channel.close();
  for (const socket of fake.sockets) {
    socket.onmessage = socket.onclose = null;
    socket.close();
  }
  // The browser lets go of its lock.
  browser.holder?.end(false);
}

describe('the order of an outbox', () => {
  const kept = (id: string, room: string, at: number, refused = false): Kept => ({ id, user: 'u', room, text: id, replyTo: null, at, refused: refused ? { code: 'x', message: 'x' } : null });

  it('is that of writing, one after the other in each room', () => {
    const items = [kept('c', 'x', 3), kept('a', 'x', 1), kept('b', 'y', 2), kept('d', 'y', 4)];
    expect(inOrder(items).map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
    expect(nextToSend(items, new Set()).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(nextToSend(items, new Set(['a'])).map(({ id }) => id)).toEqual(['b']);
  });

  it('passes over what was refused', () => {
    expect(nextToSend([kept('a', 'x', 1, true), kept('b', 'x', 2)], new Set()).map(({ id }) => id)).toEqual(['b']);
  });

  it('is kept by a clock that goes back', () => {
    expect(timeAfter([kept('a', 'x', 500)], 100)).toBe(501);
    expect(timeAfter([], 100)).toBe(100);
  });

  it('has no half characters, which can’t travel', () => {
    expect(wellFormed('a\ud83db 😀 \udc00')).toBe('a\ufffdb 😀 \ufffd');
  });
});

describe('sending', () => {
  it('shows a message at once, and in its place once it is there, never twice', async () => {
    const { view } = await tab(new Browser());
    const seen: string[] = [];
    const look = () => {
      const both = [...texts(view), ...pendingTexts(view).map((text) => `${text}…`)].join(' ');
      if (seen.at(-1) !== both) seen.push(both);
    };
    view.stretch.subscribe(look);
    view.pending.subscribe(look);
    view.send('one');
    expect(pendingTexts(view)).toEqual(['one']);
    view.send('two');
    await go(1_000);
    expect(seen.at(-1)).toBe('one two');
    // Nothing was ever missing, and nothing there twice.
    for (const both of seen.slice(1)) {
      const words = both.split(' ').map((word) => word.replace('…', ''));
      expect(new Set(words).size).toBe(words.length);
      expect(words[0]).toBe('one');
    }
    expect(server.taken).toEqual(['general one', 'general two']);
  });

  it('keeps order while the server is killed between, and sends each once', async () => {
    const { view } = await tab(new Browser());
    for (let number = 1; number <= 30; number++) {
      view.send(`m${number}`);
      if (number % 7 === 0) server.kill();
      await go(40);
      server.up = true;
      if (number % 10 === 0) await go(3_000);
    }
    await go(60_000);
    expect(server.taken).toEqual(Array.from({ length: 30 }, (_, index) => `general m${index + 1}`));
    expect(texts(view)).toEqual(Array.from({ length: 30 }, (_, index) => `m${index + 1}`));
    expect(view.pending.get()).toEqual([]);
  });

  it('sends again with the old id what was on its way when the connection broke', async () => {
    const { view } = await tab(new Browser());
    view.send('once');
    await go(20);
    const taken = () => server.taken.length;
    while (taken() === 0) await go(20);
    // It is on the disk, and the echo is lost.
    server.connection.dead = true;
    view.send('twice?');
    server.kill();
    server.up = true;
    await go(5_000);
    expect(server.taken).toEqual(['general once', 'general twice?']);
    expect(texts(view)).toEqual(['once', 'twice?']);
    expect(view.pending.get()).toEqual([]);
  });

  it('waits as long as the server says when it was too fast, and keeps the order', async () => {
    const { view } = await tab(new Browser());
    server.refuseSends = [{ code: 'rate_limited', retry: true, retry_after: 2 }];
    view.send('one');
    view.send('two');
    await go(1_000);
    view.send('three');
    await go(900);
    expect(server.taken).toEqual([]);
    expect(view.pending.get().map(({ state }) => state)).toEqual(['waiting', 'waiting', 'waiting']);
    await go(1_000);
    expect(server.taken).toEqual(['general one', 'general two', 'general three']);
  });

  it('keeps what was refused with its reason; the next goes on; it can be sent again or dropped', async () => {
    const { view } = await tab(new Browser());
    server.refuseSends = [
      { code: 'message_too_long', retry: false },
      { code: 'room_archived', retry: false },
    ];
    view.send('long');
    view.send('archived');
    view.send('good');
    await go(1_000);
    expect(server.taken).toEqual(['general good']);
    expect(view.pending.get()).toMatchObject([
      { text: 'long', state: 'refused', error: { code: 'message_too_long', message: 'No: message_too_long.' } },
      { text: 'archived', state: 'refused', error: { code: 'room_archived' } },
    ]);
    const [long, archived] = view.pending.get();
    view.drop(long?.id ?? '');
    view.retry(archived?.id ?? '');
    await go(1_000);
    expect(server.taken).toEqual(['general good', 'general archived']);
    expect(view.pending.get()).toEqual([]);
  });

  it('refuses by itself what is larger than a frame, which would end the connection', async () => {
    const { view } = await tab(new Browser());
    view.send('字'.repeat(30_000));
    await go(500);
    expect(view.pending.get()).toMatchObject([{ state: 'refused', error: { code: 'too_large' } }]);
    expect(server.connections.size).toBe(1);
  });

  it('says that a message is refused whose room is not there', async () => {
    const { client } = await tab(new Browser());
    const nowhere = client.open('nowhere');
    nowhere.send('into the void');
    await go(1_000);
    expect(nowhere.pending.get()).toMatchObject([{ state: 'refused', error: { code: 'no_such_room' } }]);
    expect(server.rooms.has('nowhere')).toBe(false);
  });

  it('joins no room again that one was removed from, because something waits for it', async () => {
    const { client } = await tab(new Browser());
    const other = server.room('other', 'public', 'ada');
    const view = client.open('other');
    await go(400);
    server.kill();
    view.send('too late');
    other.members.delete('ada');
    server.up = true;
    await go(5_000);
    expect(other.members.has('ada')).toBe(false);
    expect(view.pending.get()).toMatchObject([{ text: 'too late', state: 'refused', error: { code: 'left' } }]);
  });

  it('shows what is in the log already until the log has been read so far', async () => {
    const { view } = await tab(new Browser());
    view.send('early');
    await go(10);
    const { connection } = server;
    const seen: boolean[] = [];
    connection.behind.add(general);
    for (let number = 0; number < 50; number++) server.say(general, 'bob', `b${number}`);
    connection.say('gap', { room: 'general', from: 4, to: general.head });
    const look = () => void seen.push([...texts(view), ...pendingTexts(view)].filter((text) => text === 'early').length === 1);
    view.stretch.subscribe(look);
    view.pending.subscribe(look);
    await go(3_000);
    expect(seen).not.toContain(false);
    expect(texts(view).filter((text) => text === 'early')).toHaveLength(1);
    expect(view.pending.get()).toEqual([]);
  });

  it('sends to a room under its new name', async () => {
    const { view } = await tab(new Browser());
    server.kill();
    view.send('for the old name');
    server.rename(general, 'lobby');
    server.up = true;
    await go(5_000);
    expect(server.taken).toEqual(['lobby for the old name']);
    expect(view.pending.get()).toEqual([]);
    expect(texts(view)).toEqual(['(changed)', 'for the old name']);
  });

  it('sends what waits for a room that is not open', async () => {
    const { client, view } = await tab(new Browser());
    server.room('other', 'public', 'ada');
    const other = client.open('other');
    await go(400);
    server.kill();
    other.send('later');
    other.close();
    server.up = true;
    await go(5_000);
    expect(server.taken).toEqual(['other later']);
    expect(view.pending.get()).toEqual([]);
  });
});

describe('closing the tab', () => {
  it.each([true, false])('loses nothing: written offline, closed, opened again, sent in order (locks: %s)', async (locks) => {
    const browser = new Browser();
    const first = await tab(browser, locks);
    server.up = false;
    first.fake.sign('offline');
    for (const text of ['one', 'two', 'three']) first.view.send(text);
    await go(200);
    expect(pendingTexts(first.view)).toEqual(['one', 'two', 'three']);
    crash(first, browser);
    server.up = true;
    const second = await tab(browser, locks);
    await go(10_000);
    expect(server.taken).toEqual(['general one', 'general two', 'general three']);
    expect(texts(second.view)).toEqual(['one', 'two', 'three']);
    expect(second.view.pending.get()).toEqual([]);
    const third = await tab(browser, locks);
    await go(10_000);
    expect(third.view.pending.get()).toEqual([]);
    expect(server.taken).toHaveLength(3);
  });

  it('keeps what is written before the server is reached for who was here last', async () => {
    const browser = new Browser();
    crash(await tab(browser), browser);
    server.kill();
    const offline = await tab(browser);
    offline.view.send('written in the dark');
    await go(200);
    expect(pendingTexts(offline.view)).toEqual(['written in the dark']);
    crash(offline, browser);
    server.up = true;
    await tab(browser);
    await go(8_000);
    expect(server.taken).toEqual(['general written in the dark']);
  });

  it('keeps what waits for each user apart', async () => {
    const browser = new Browser();
    const ada = await tab(browser);
    server.kill();
    ada.view.send('from ada');
    await go(200);
    ada.client.stop();
    server.up = true;
    server.user = 'bob';
    const bob = await tab(browser);
    await go(2_000);
    expect(bob.view.pending.get()).toEqual([]);
    expect(server.taken).toEqual([]);
    bob.client.stop();
    server.user = 'ada';
    ada.client.start();
    await go(2_000);
    expect(server.taken).toEqual(['general from ada']);
    expect(general.now.get(general.head)?.from).toBe('ada');
  });
});

describe('two tabs', () => {
  it.each([true, false])('show what waits in both, send it once, in order (locks: %s)', async (locks) => {
    const browser = new Browser();
    const one = await tab(browser, locks);
    const two = await tab(browser, locks);
    server.kill();
    one.view.send('a1');
    await go(100);
    two.view.send('b1');
    await go(100);
    one.view.send('a2');
    await go(100);
    expect(pendingTexts(one.view)).toEqual(['a1', 'b1', 'a2']);
    expect(pendingTexts(two.view)).toEqual(['a1', 'b1', 'a2']);
    server.up = true;
    await go(12_000);
    expect(server.taken).toEqual(['general a1', 'general b1', 'general a2']);
    expect([...server.connections].flatMap(({ got }) => got).filter((event) => event.type === 'send_message')).toHaveLength(3);
    for (const { view } of [one, two]) {
      expect(texts(view)).toEqual(['a1', 'b1', 'a2']);
      expect(view.pending.get()).toEqual([]);
    }
  });

  it.each([true, false])('go on sending when the one that sends is closed (locks: %s)', async (locks) => {
    const browser = new Browser();
    const one = await tab(browser, locks);
    const two = await tab(browser, locks);
    one.client.stop();
    two.view.send('still here');
    await go(8_000);
    expect(server.taken).toEqual(['general still here']);
  });

  it('do not wait for a tab that was put to sleep with the lock in its hand', async () => {
    const browser = new Browser();
    const one = await tab(browser);
    const two = await tab(browser);
    one.life.alive = false;
    for (const socket of one.fake.sockets) socket.onmessage = null;
    for (const channel of one.channels) channel.onmessage = null;
    two.view.send('hello?');
    await go(6_000);
    expect(server.taken).toEqual(['general hello?']);
  });

  it('never show a message less while its echo is on its way to the other tab', async () => {
    const browser = new Browser();
    const one = await tab(browser);
    const two = await tab(browser);
    let gone = false;
    let began = false;
    const look = () => {
      const all = [...texts(two.view), ...pendingTexts(two.view)];
      if (all.includes('steady')) began = true;
      else if (began) gone = true;
      expect(all.filter((text) => text === 'steady').length).toBeLessThanOrEqual(1);
    };
    two.view.stretch.subscribe(look);
    two.view.pending.subscribe(look);
    // The tab that sends hears of it first, the other much later.
    for (const [index, connection] of [...server.connections].entries()) {
      const say = connection.say.bind(connection);
      connection.say = (...said) => void setTimeout(() => say(...said), index === 0 ? 60 : 300);
    }
    one.view.send('steady');
    await go(2_000);
    expect([began, gone]).toEqual([true, false]);
    expect(two.view.pending.get()).toEqual([]);
  });
});

describe('without IndexedDB', () => {
  it('works as long as the page lives', async () => {
    const { client } = page(server);
    client.start();
    const view = client.open('general');
    await settle();
    server.kill();
    view.send('kept in memory');
    server.up = true;
    await pass(5_000);
    expect(server.taken).toEqual(['general kept in memory']);
  });
});
