import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backoff, restartDelay } from '../../src/lib/client/backoff';
import { FakeServer } from './fake_server';
import { page, pass, settle, START } from './world';

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  server = new FakeServer();
  server.room('general', 'public', 'ada', 'bob');
});

afterEach(() => {
  vi.useRealTimers();
});

describe('back-off', () => {
  it('waits up to 1, 2, 4, … and at most 30 s, by chance', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 40].map((tries) => backoff(tries, 1))).toEqual([1e3, 2e3, 4e3, 8e3, 16e3, 30e3, 30e3, 30e3]);
    expect(backoff(3, 0)).toBe(0);
  });

  it('reads the delay from the reason of a restart', () => {
    expect(restartDelay('restarting; retry after 3.2 s')).toBe(3_200);
    expect(restartDelay('restarting')).toBeNull();
  });
});

describe('the connection', () => {
  it('says who is there once the server has welcomed', async () => {
    const { client } = page(server);
    expect(client.me.get()).toBeNull();
    client.start();
    expect(client.connection.get()).toEqual({ kind: 'connecting', since: START });
    await settle();
    expect(client.connection.get()).toEqual({ kind: 'online' });
    expect(client.me.get()).toEqual({ name: 'ada', displayName: 'Ada Lovelace', role: 'member' });
    expect(client.limits.get()).toEqual({ messageCharacters: 10_000 });
  });

  it('is ended where nobody is logged in, and begins when somebody is', async () => {
    server.loggedIn = false;
    const { client } = page(server);
    client.start();
    await settle();
    expect(client.connection.get()).toEqual({ kind: 'ended', why: 'never_logged_in' });
    server.loggedIn = true;
    client.start();
    await settle();
    expect(client.connection.get().kind).toBe('online');
  });

  it('comes back by itself, later each time, and keeps since when nothing works', async () => {
    const { client } = page(server);
    client.start();
    await pass(10_000);
    server.kill();
    const lostAt = Date.now();
    expect(client.connection.get()).toEqual({ kind: 'waiting', why: 'lost', lostAt, retryAt: lostAt + 500 });
    await pass(502);
    expect(client.connection.get()).toEqual({ kind: 'waiting', why: 'lost', lostAt, retryAt: Date.now() - 1 + 1_000 });
    await pass(60_000);
    expect(client.connection.get()).toMatchObject({ kind: 'waiting', lostAt });
    server.up = true;
    await pass(15_100);
    expect(client.connection.get()).toEqual({ kind: 'online' });
    expect(server.connections.size).toBe(1);
  });

  it('waits as long as a restarting server says, and no sign cuts that short', async () => {
    const { client, fake } = page(server);
    client.start();
    await settle();
    server.kill(1012, 'restarting; retry after 3.2 s');
    const lostAt = Date.now();
    expect(client.connection.get()).toEqual({ kind: 'waiting', why: 'restarting', lostAt, retryAt: lostAt + 3_200 });
    server.up = true;
    fake.sign('shown');
    await pass(3_190);
    expect(client.connection.get().kind).toBe('waiting');
    await pass(50);
    expect(client.connection.get()).toEqual({ kind: 'online' });
  });

  it('waits as long as a busy server says', async () => {
    server.refused.push({ status: 429, code: 'rate_limited', retryAfter: 7 });
    const { client } = page(server);
    client.start();
    await pass(10);
    expect(client.connection.get()).toMatchObject({ kind: 'waiting', why: 'busy' });
    await pass(7_000);
    expect(client.connection.get().kind).toBe('waiting');
    await pass(600);
    expect(client.connection.get().kind).toBe('online');
  });

  it.each([4401, 4403])('stays away after close code %i', async (code) => {
    const { client } = page(server);
    client.start();
    await settle();
    server.refused.push({ status: 401, code: 'unauthorized' });
    server.connection.end(code);
    await pass(120_000);
    expect(client.connection.get()).toEqual({ kind: 'ended', why: 'logged_out' });
    expect(server.connections.size).toBe(0);
  });

  it('comes back at once after close code 4401 if the session holds, and later each time if that goes on', async () => {
    const { client, fake } = page(server);
    client.start();
    await settle();
    server.connection.end(4401);
    await settle();
    expect(client.connection.get().kind).toBe('online');
    for (let count = 0; count < 40; count++) {
      await pass(500);
      for (const connection of server.connections) connection.end(4401);
    }
    expect(fake.sockets.length).toBeLessThan(9);
  });

  it.each([1006, 1011, 4508, 4509, 1008])('comes back after close code %i', async (code) => {
    const { client } = page(server);
    client.start();
    await settle();
    server.connection.end(code);
    expect(client.connection.get().kind).toBe('waiting');
    await pass(2_000);
    expect(client.connection.get().kind).toBe('online');
  });

  it('does not come back at once, again and again, to a server that closes each connection at once', async () => {
    const { client, fake } = page(server);
    client.start();
    for (let count = 0; count < 40; count++) {
      await pass(500);
      for (const connection of server.connections) connection.end(1011);
    }
    expect(fake.sockets.length).toBeLessThan(8);
  });

  it('is offline at once when the machine is, and back at once when it is back', async () => {
    const { client, fake } = page(server);
    client.start();
    await settle();
    server.up = false;
    fake.isOnline = false;
    fake.sign('offline');
    expect(client.connection.get()).toMatchObject({ kind: 'waiting', why: 'offline' });
    await pass(60_000);
    expect(client.connection.get()).toMatchObject({ kind: 'waiting', why: 'offline', lostAt: START + 400 });
    server.up = true;
    fake.isOnline = true;
    fake.sign('online');
    await pass(10);
    expect(client.connection.get()).toEqual({ kind: 'online' });
  });

  it('tries at once when it is asked to', async () => {
    const { client } = page(server);
    client.start();
    await settle();
    server.kill();
    await pass(40_000);
    server.up = true;
    client.wake();
    await pass(10);
    expect(client.connection.get().kind).toBe('online');
  });

  it('finds within 3 s of waking up that the connection died while the machine slept', async () => {
    const { client, fake } = page(server);
    client.start();
    await settle();
    const old = server.connection;
    old.dead = true;
    vi.setSystemTime(Date.now() + 3_600_000);
    fake.sign('shown');
    await pass(3_000);
    expect(client.connection.get()).toMatchObject({ kind: 'waiting' });
    await pass(1_000);
    expect(client.connection.get().kind).toBe('online');
    expect(server.connection).not.toBe(old);
  });

  it('notices by a late timer that the machine slept, without any sign', async () => {
    const { client } = page(server);
    client.start();
    await settle();
    server.connection.dead = true;
    vi.setSystemTime(Date.now() + 3_600_000);
    await pass(5_000 + 3_000 + 1_000);
    expect(client.connection.get().kind).toBe('online');
    expect(server.connection.dead).toBe(false);
  });

  it('keeps a connection that answers when it is probed', async () => {
    const { client, fake } = page(server);
    client.start();
    await settle();
    const socket = server.connection;
    for (let count = 0; count < 5; count++) {
      fake.sign('shown');
      await pass(10_000);
    }
    expect(server.connection).toBe(socket);
    expect(fake.sockets).toHaveLength(1);
  });

  it('probes a connection that is quiet, and leaves one that is dead', async () => {
    const { client, fake } = page(server);
    client.start();
    await settle();
    await pass(120_000);
    expect(fake.sockets).toHaveLength(1);
    server.connection.dead = true;
    await pass(40_000);
    expect(fake.sockets.length).toBeGreaterThan(1);
    expect(client.connection.get().kind).toBe('online');
  });

  it('does not hear an old socket once there is a new one', async () => {
    const { client, fake } = page(server);
    client.start();
    await settle();
    const old = server.connection;
    const hear = old.onmessage;
    const close = old.onclose;
    fake.sign('offline');
    fake.sign('online');
    await settle();
    expect(client.connection.get().kind).toBe('online');
    hear?.({ data: JSON.stringify({ type: 'exited', payload: { room: 'general' } }) });
    close?.({ code: 4401, reason: '' });
    await settle();
    expect(client.connection.get().kind).toBe('online');
    expect(client.rooms.get().map((room) => room.room)).toEqual(['general']);
  });

  it('gives up a server that never welcomes', async () => {
    const { client, fake } = page(server);
    server.later = (run) => void setTimeout(run, 3_600_000);
    client.start();
    await pass(15_100);
    expect(client.connection.get().kind).toBe('waiting');
    expect(fake.sockets).toHaveLength(0);
  });

  it('shows nothing of one user to the next, in the same page', async () => {
    const secret = server.room('secret', 'private', 'ada', 'cleo');
    server.say(secret, 'cleo', 'for ada');
    const { client } = page(server);
    client.start();
    const view = client.open('secret');
    await settle();
    expect(view.stretch.get().items).toHaveLength(1);
    server.connection.end(4401);
    server.user = 'bob';
    client.start();
    await settle();
    expect(client.me.get()?.name).toBe('bob');
    expect(client.rooms.get().map((room) => room.room)).toEqual(['general']);
    expect(view.stretch.get()).toMatchObject({ state: 'refused', items: [] });
    expect(view.room.get()).toBeNull();
  });

  it('does not press a server that lets nobody into rooms for a while', async () => {
    const { client } = page(server);
    let refused = 0;
    const handle = server.handle.bind(server);
    server.handle = (connection, event) => {
      if (event.type !== 'enter' || refused >= 3) return handle(connection, event);
      refused++;
      connection.say('error', { code: 'rate_limited', message: 'No.', retry: true, retry_after: 2 }, event.ref);
    };
    client.start();
    const view = client.open('general');
    await pass(5_900);
    expect(refused).toBe(3);
    expect(view.stretch.get().state).toBe('loading');
    await pass(500);
    expect(view.stretch.get().state).toBe('ready');
  });

  it('closes for good when it is stopped', async () => {
    const { client } = page(server);
    client.start();
    await settle();
    client.stop();
    await pass(120_000);
    expect(server.connections.size).toBe(0);
    expect(client.connection.get()).toEqual({ kind: 'ended', why: 'logged_out' });
  });
});
