// A server that speaks docs/protocol.md, in memory: enough of it to test the client with, and with switches for what goes wrong.

import type { Platform, Sign, Socket } from '../../src/lib/client/platform';
import type * as wire from '../../src/lib/client/wire';

const RESUME_PAGE = 20;
const LAST_MESSAGES = 50;

type Body = { [key: string]: unknown };
interface LogEntry {
  type: wire.Entry['type'];
  body: Body;
}

class FakeRoom {
  readonly entries: LogEntry[] = [];
  readonly now = new Map<number, Body>();
  readonly members = new Set<string>();
  readonly read = new Map<string, number>();
  readonly sent = new Map<string, number>();
  topic = '';

  constructor(
    public name: string,
    public kind = 'public',
  ) {}

  get head(): number {
    return this.entries.length;
  }

  page(keep: (seq: number) => boolean, limit: number, fromEnd: boolean): { messages: Body[]; more: boolean } {
    const all = [...this.now.entries()].filter(([seq]) => keep(seq)).map(([, body]) => ({ ...body, room: this.name }));
    const messages = fromEnd ? all.slice(-limit) : all.slice(0, limit);
    return { messages, more: all.length > messages.length };
  }
}

/** One open socket, seen from the server. */
export class FakeConnection implements Socket {
  readyState = 0;
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  onerror: Socket['onerror'] = null;
  readonly rooms = new Set<FakeRoom>();
  /** Entries of these are held back until it is entered again. */
  readonly behind = new Set<FakeRoom>();
  /** Neither side hears the other any more, and neither knows. */
  dead = false;
  readonly got: wire.ClientEvent[] = [];

  constructor(
    readonly server: FakeServer,
    readonly user: string,
  ) {}

  send(text: string): void {
    const event = JSON.parse(text) as wire.ClientEvent;
    this.got.push(event);
    if (!this.dead) this.server.later(() => this.server.handle(this, event));
  }

  close(): void {
    this.readyState = 3;
    this.server.forget(this);
  }

  say(type: string, payload: object, ref?: wire.Ref): void {
    const text = JSON.stringify(ref === undefined ? { type, payload } : { type, ref, payload });
    this.server.later(() => {
      if (!this.dead && this.readyState === 1) this.onmessage?.({ data: text });
    });
  }

  /** The server closes it. */
  end(code: number, reason = ''): void {
    this.server.forget(this);
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

export class FakeServer {
  readonly rooms = new Map<string, FakeRoom>();
  readonly aliases = new Map<string, string>();
  readonly connections = new Set<FakeConnection>();
  readonly refused: { status: number; code: string; retryAfter?: number }[] = [];
  readonly requests: string[] = [];
  epoch = 'epoch-1';
  up = true;
  loggedIn = true;
  user = 'ada';
  displayNames = new Map([['ada', 'Ada Lovelace']]);
  /** Sends of messages that are refused, first come first: by code, seconds. */
  refuseSends: { code: string; retry: boolean; retry_after?: number }[] = [];
  /** Answer history requests only when this is called. */
  holdHistory: (() => void)[] | null = null;
  /** How late news of a room comes to who is not in it: the real server gathers it. */
  headsLateMs = 0;
  typingSeconds = 5;
  roomsEntered = 200;
  /** Every message taken, as `room text`: what is really in the log, in order. */
  readonly taken: string[] = [];
  #ticket = '';

  later(run: () => void): void {
    setTimeout(run, 1);
  }

  room(name: string, kind = 'public', ...members: string[]): FakeRoom {
    const made = new FakeRoom(name, kind);
    this.rooms.set(name, made);
    this.append(made, 'room_changed', { made: true, kind });
    for (const member of members) this.join(made, member);
    return made;
  }

  join(room: FakeRoom, user: string): void {
    if (room.members.has(user)) return;
    room.members.add(user);
    this.append(room, 'member_joined', { user });
    room.read.set(user, room.head);
  }

  /** Somebody says something by another program. */
  say(room: FakeRoom, from: string, message: string, id = `${from}-${room.head}`): number {
    const body = { id, from, message, sent: new Date(Date.now()).toISOString() };
    const seq = this.append(room, 'new_message', body);
    return seq;
  }

  append(room: FakeRoom, type: wire.Entry['type'], body: Body, ref?: [FakeConnection, wire.Ref | undefined]): number {
    const seq = room.head + 1;
    room.entries.push({ type, body });
    this.#work(room, type, body, seq);
    if (type === 'new_message') this.taken.push(`${room.name} ${String(body.message)}`);
    for (const connection of this.connections) {
      if (connection.readyState !== 1) continue;
      if (connection.rooms.has(room)) {
        if (!connection.behind.has(room)) connection.say(type, { room: room.name, seq, ...body }, ref?.[0] === connection ? ref[1] : undefined);
      } else if (room.members.has(connection.user)) {
        const news = () => connection.say('room_head', { room: room.name, head: room.head, mentions: this.mentions(room, connection.user) });
        if (this.headsLateMs === 0) news();
        else setTimeout(news, this.headsLateMs);
      }
    }
    return seq;
  }

  /** Work an entry into the messages as they are now. */
  #work(room: FakeRoom, type: string, body: Body, seq: number): void {
    if (type === 'new_message') room.now.set(seq, { seq, ...body });
    const target = room.now.get(Number(body.target));
    if (target === undefined) return;
    if (type === 'message_edited') Object.assign(target, { message: body.message, edited: body.edited });
    if (type === 'message_deleted') {
      Object.assign(target, { message: '', deleted: true, reactions: {} });
      const original = room.entries[Number(body.target) - 1];
      if (original !== undefined) original.body = { ...original.body, message: '' };
      for (const entry of room.entries) if (entry.type === 'message_edited' && entry.body.target === body.target) entry.body = { ...entry.body, message: '' };
    }
    if (type === 'reacted') {
      const reactions = { ...(target.reactions as { [emoji: string]: string[] }) };
      const emoji = String(body.emoji);
      const others = (reactions[emoji] ?? []).filter((name) => name !== body.from);
      reactions[emoji] = body.remove === true ? others : [...others, String(body.from)];
      if (reactions[emoji].length === 0) delete reactions[emoji];
      target.reactions = reactions;
    }
  }

  edit(room: FakeRoom, from: string, target: number, message: string): number {
    return this.append(room, 'message_edited', { target, from, message, edited: new Date(Date.now()).toISOString() });
  }

  rename(room: FakeRoom, name: string): void {
    const was = room.name;
    this.rooms.delete(was);
    this.aliases.set(was, name);
    room.name = name;
    this.rooms.set(name, room);
    this.append(room, 'room_changed', { was });
  }

  mentions(room: FakeRoom, user: string): number {
    const read = room.read.get(user) ?? 0;
    return [...room.now.entries()].filter(([seq, body]) => seq > read && body.from !== user && String(body.message).includes(`@${user}`)).length;
  }

  find(name: string): FakeRoom | undefined {
    return this.rooms.get(name) ?? this.rooms.get(this.aliases.get(name) ?? '') ?? [...this.rooms.values()].find((room) => room.name.toLowerCase() === name.toLowerCase());
  }

  // --- the WebSocket

  connect(protocols: string[]): FakeConnection {
    const connection = new FakeConnection(this, this.user);
    const good = this.up && protocols[0] === 'hubbub.v1' && protocols[1] === `ticket.${this.#ticket}`;
    this.#ticket = '';
    this.later(() => {
      if (connection.readyState === 3) return;
      if (!good) {
        connection.end(1006);
        return;
      }
      connection.readyState = 1;
      this.connections.add(connection);
      connection.onopen?.({});
      this.#welcome(connection);
    });
    return connection;
  }

  #welcome(connection: FakeConnection): void {
    const rooms = [...this.rooms.values()].filter((room) => room.members.has(connection.user));
    connection.say('welcome', {
      user: connection.user,
      display_name: this.displayNames.get(connection.user) ?? connection.user,
      role: 'member',
      rooms: rooms.map((room) => ({
        room: room.name,
        kind: room.kind,
        head: room.head,
        read: room.read.get(connection.user) ?? 0,
        unread: room.head - (room.read.get(connection.user) ?? 0),
        mentions: this.mentions(room, connection.user),
        ...(room.kind === 'direct' ? { members: [...room.members] } : {}),
      })),
      epoch: this.epoch,
      limits: {
        message_characters: 10_000,
        frame_bytes: 65_536,
        rooms_entered: this.roomsEntered,
        messages_per_second: 20,
        messages_at_once: 60,
        typing_seconds: this.typingSeconds,
      },
      server: 'fake/1',
    });
  }

  forget(connection: FakeConnection): void {
    this.connections.delete(connection);
  }

  /** kill -9: every socket breaks, and nothing answers until `up` is true again. */
  kill(code = 1006, reason = ''): void {
    this.up = false;
    for (const connection of [...this.connections]) connection.end(code, reason);
  }

  get connection(): FakeConnection {
    const [connection] = [...this.connections].slice(-1);
    if (connection === undefined) throw new Error('nobody is connected');
    return connection;
  }

  handle(connection: FakeConnection, event: wire.ClientEvent): void {
    if (connection.readyState !== 1 || connection.dead || !this.up) return;
    const { ref } = event;
    const no = (code: string, more: object = {}) => connection.say('error', { code, message: `No: ${code}.`, retry: false, ...more }, ref);
    const name = 'room' in event.payload ? (event.payload.room ?? '') : '';
    const room = this.find(name);
    if (event.type === 'exit') {
      if (room === undefined || !connection.rooms.delete(room)) return no('not_entered', { room: name });
      return connection.say('exited', { room: room.name }, ref);
    }
    if (room === undefined) return no('no_such_room', { room: name });
    switch (event.type) {
      case 'enter':
        return this.#enter(connection, room, event.payload, ref);
      case 'send_message':
        return this.#send(connection, room, event.payload, ref, no);
      case 'mark_read': {
        const seq = Math.max(room.read.get(connection.user) ?? 0, Math.min(event.payload.seq, room.head));
        room.read.set(connection.user, seq);
        for (const other of this.connections) {
          if (other.user === connection.user) other.say('read', { room: room.name, seq, unread: room.head - seq, mentions: this.mentions(room, other.user) });
        }
        return;
      }
      case 'typing':
        for (const other of this.connections) if (other !== connection && other.rooms.has(room)) other.say('typing', { room: room.name, user: connection.user });
        return;
      case 'edit_message': {
        const target = room.now.get(event.payload.seq);
        if (target === undefined) return no('no_such_message');
        if (target.from !== connection.user) return no('forbidden');
        const edited = new Date(Date.now()).toISOString();
        this.append(room, 'message_edited', { target: event.payload.seq, from: connection.user, message: event.payload.message, edited }, [connection, ref]);
        return;
      }
      case 'delete_message':
        this.append(room, 'message_deleted', { target: event.payload.seq, from: connection.user }, [connection, ref]);
        return;
      case 'react': {
        const { seq, emoji, remove } = event.payload;
        this.append(room, 'reacted', { target: seq, from: connection.user, emoji, ...(remove === true ? { remove } : {}) }, [connection, ref]);
        return;
      }
    }
  }

  #enter(connection: FakeConnection, room: FakeRoom, enter: wire.Enter, ref: wire.Ref | undefined): void {
    this.join(room, connection.user);
    connection.rooms.add(room);
    connection.behind.delete(room);
    const { after } = enter;
    const foreign = enter.epoch !== undefined && enter.epoch !== this.epoch;
    const read = room.read.get(connection.user) ?? 0;
    const present = [...new Set([...this.connections].filter((other) => other.rooms.has(room)).map((other) => other.user))];
    const entered = {
      room: room.name,
      kind: room.kind,
      topic: room.topic,
      head: room.head,
      epoch: this.epoch,
      present,
      present_count: present.length,
      read,
      unread: room.head - read,
      mentions: this.mentions(room, connection.user),
      role: 'member',
      more: false,
    };
    if (after !== undefined && !foreign && after <= room.head) {
      const entries = room.entries.slice(after, after + RESUME_PAGE).map(({ type, body }, index) => ({ type, payload: { room: room.name, seq: after + index + 1, ...body } }));
      const more = after + entries.length < room.head;
      if (more) connection.behind.add(room);
      connection.say('entered', { ...entered, more, entries }, ref);
      return;
    }
    const { messages, more } = room.page(() => true, LAST_MESSAGES, true);
    connection.say('entered', { ...entered, messages, earlier: more, reset: after !== undefined }, ref);
  }

  #send(connection: FakeConnection, room: FakeRoom, payload: wire.SendMessage, ref: wire.Ref | undefined, no: (code: string, more?: object) => void): void {
    const refusal = this.refuseSends.shift();
    if (refusal !== undefined) return no(refusal.code, { ...refusal, room: room.name, id: payload.id });
    if (!room.members.has(connection.user)) return no('not_entered', { id: payload.id });
    const key = `${connection.user} ${payload.id}`;
    const before = room.sent.get(key);
    if (before !== undefined) {
      connection.say('new_message', { room: room.name, seq: before, ...room.entries[before - 1]?.body }, ref);
      return;
    }
    room.sent.set(key, room.head + 1);
    const body = { id: payload.id, from: connection.user, message: payload.message, sent: new Date(Date.now()).toISOString(), ...(payload.reply_to === undefined ? {} : { reply_to: payload.reply_to }) };
    this.append(room, 'new_message', body, [connection, ref]);
  }

  // --- HTTP

  readonly fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const url = new URL(String(input), 'http://fake');
    this.requests.push(`${init?.method ?? 'GET'} ${url.pathname}${url.search}`);
    await new Promise<void>((resolve) => this.later(resolve));
    if (init?.signal?.aborted === true) throw new Error('aborted');
    if (!this.up) throw new TypeError('network');
    if (!this.loggedIn) return json(401, { code: 'unauthorized', message: 'Log in first.', retry: false });
    const refusal = this.refused.shift();
    if (refusal !== undefined) return json(refusal.status, { code: refusal.code, message: 'No.', retry: true, retry_after: refusal.retryAfter });
    const held = this.holdHistory;
    const answer = this.#answer(init?.method ?? 'GET', url);
    if (held !== null && url.pathname.endsWith('/messages')) await new Promise<void>((resolve) => held.push(resolve));
    return answer;
  };

  #answer(method: string, url: URL): Response {
    if (url.pathname === '/ticket') return json(200, { otp: (this.#ticket = `t${Math.random()}`) });
    if (url.pathname === '/api/people') {
      const names = url.searchParams.get('names')?.split(',') ?? [];
      return json(200, { people: names.map((name) => ({ name, display_name: this.displayNames.get(name) ?? name.toUpperCase(), role: 'member' })), more: false });
    }
    const shown = (room: FakeRoom) => ({ room: room.name, kind: room.kind, topic: room.topic, archived: false, member: room.members.has(this.user), role: null });
    if (url.pathname === '/api/rooms') return json(200, { rooms: [...this.rooms.values()].map(shown) });
    const [, , , encoded, what] = url.pathname.split('/');
    const room = this.find(decodeURIComponent(encoded ?? ''));
    if (room === undefined || (room.kind !== 'public' && !room.members.has(this.user))) return json(404, { code: 'no_such_room', message: 'There is no such room.', retry: false });
    if (what !== 'messages' || method !== 'GET') return json(200, shown(room));
    const number = (name: string) => (url.searchParams.has(name) ? Number(url.searchParams.get(name)) : null);
    const [before, after, around, limit] = [number('before'), number('after'), number('around'), number('limit') ?? 50];
    if (around !== null) {
      const earlier = room.page((seq) => seq <= around, limit - Math.floor(limit / 2), true);
      const later = room.page((seq) => seq > around, Math.floor(limit / 2), false);
      return json(200, { room: room.name, head: room.head, more: earlier.more || later.more, messages: [...earlier.messages, ...later.messages] });
    }
    const page = after !== null ? room.page((seq) => seq > after, limit, false) : room.page((seq) => before === null || seq < before, limit, true);
    return json(200, { room: room.name, head: room.head, more: page.more, messages: page.messages });
  }
}

function json(status: number, body: object): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}

/** What a client of `server` runs on, with signs that a test gives. */
export class FakePlatform {
  readonly signs = new Set<(sign: Sign) => void>();
  isOnline = true;
  isVisible = true;
  sockets: FakeConnection[] = [];

  constructor(readonly server: FakeServer) {}

  platform(more: Partial<Platform> = {}): Partial<Platform> {
    return {
      fetch: this.server.fetch as typeof fetch,
      connect: (_url, protocols) => {
        const socket = this.server.connect(protocols);
        this.sockets.push(socket);
        return socket;
      },
      random: () => 0.5,
      indexedDB: null,
      channel: null,
      locks: null,
      remembered: null,
      isOnline: () => this.isOnline,
      isVisible: () => this.isVisible,
      onSign: (run) => {
        this.signs.add(run);
        return () => void this.signs.delete(run);
      },
      ...more,
    };
  }

  sign(sign: Sign): void {
    for (const run of [...this.signs]) run(sign);
  }
}
