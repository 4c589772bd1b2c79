// The client of one user on one server: connects what the other modules do.

import { Alerts } from './alerts';
import { createApi, type Api } from './api';
import type { ViewAround } from './around';
import { Connector } from './connection';
import { HubbubError } from './errors';
import type { Client, Me } from './model';
import { Outbox } from './outbox/outbox';
import { People } from './people';
import { browserPlatform, type Platform, type Timer } from './platform';
import { Requests } from './requests';
import type { Room } from './room';
import { Rooms } from './rooms';
import { Frame, Value } from './store';
import { View } from './view';
import type { SendMessage, ServerEvent, Welcome } from './wire';

export interface ClientOptions {
  /** Where the server is, such as `https://chat.example`; '' is where the page came from. */
  base?: string;
  /** A program's bearer token; a page has its cookie. */
  token?: string;
  api?: Api;
  /** What to use in place of the browser's own. */
  platform?: Partial<Platform>;
}

/** A client that does nothing until `start`. */
export function createClient(options: ClientOptions = {}): Client {
  return new HubbubClient(options);
}

class HubbubClient implements Client {
  readonly me = new Value<Me | null>(null);
  readonly limits = new Value<{ messageCharacters: number } | null>(null);
  readonly #platform: Platform;
  readonly #base: string;
  readonly #connector: Connector;
  readonly #rooms: Rooms;
  readonly #requests: Requests;
  readonly #people: People;
  readonly #alerts: Alerts;
  readonly #frame: Frame;
  readonly #around: ViewAround;
  readonly #views = new Set<View>();
  /** Written before it was known who writes. */
  readonly #early: [room: string, text: string, replyTo: number | null][] = [];
  readonly #typing = new Map<string, Timer>();
  #outbox: Outbox | null = null;
  #typingMs = 5_000;
  #frameBytes = 0;
  #endSigns: (() => void) | null = null;
  readonly #showPending = () => {
    this.#outbox?.settle();
    for (const view of this.#views) view.changed();
  };

  constructor(options: ClientOptions) {
    this.#platform = { ...browserPlatform(), ...options.platform };
    const platform = this.#platform;
    this.#base = options.base ?? '';
    const token = options.token === undefined ? {} : { token: options.token };
    const api = options.api ?? createApi({ base: this.#base, fetch: platform.fetch, ...token });
    this.#frame = new Frame((run) => platform.nextFrame(run));
    this.#connector = new Connector(platform, api, () => this.#url(), {
      welcomed: (welcome) => this.#welcomed(welcome),
      event: (event) => this.#event(event),
      lost: () => this.#lost(),
    });
    const send = this.#connector.send.bind(this.#connector);
    this.#requests = new Requests(platform, send);
    this.#people = new People(platform, api, this.#frame);
    this.#alerts = new Alerts(platform);
    this.#rooms = new Rooms(platform, api, this.#frame, send, {
      echoed: (id, seq) => this.#outbox?.echoed(id, seq),
      heard: (room, message, live) => this.#alerts.heard(room, message, live, this.#rooms.me),
      renamed: (was, now) => this.#outbox?.renamed(was, now),
      ready: () => this.#outbox?.push(),
    });
    this.#rooms.wantedToSend = () => this.#outbox?.rooms() ?? [];
    this.#around = {
      platform,
      api,
      frame: this.#frame,
      rooms: this.#rooms,
      requests: this.#requests,
      pending: (room) => this.#outbox?.pending(room) ?? [],
      add: (room, text, replyTo) => this.#add(room, text, replyTo),
      retry: (id) => this.#outbox?.retry(id),
      drop: (id) => this.#outbox?.drop(id),
      typing: (room) => void send({ type: 'typing', payload: { room: room.name } }),
      closed: (view) => void this.#views.delete(view),
    };
  }

  get connection() {
    return this.#connector.state;
  }

  get rooms() {
    return this.#rooms.list;
  }

  start(): void {
    // What is written before the server is reached is kept for who was here last.
    const last = this.#platform.remembered?.get(this.#lastUser) ?? null;
    if (this.#outbox === null && last !== null) this.#openOutbox(last);
    this.#endSigns ??= this.#platform.onSign((sign) => {
      if (sign === 'hidden') this.#rooms.markAll();
    });
    this.#connector.start();
  }

  stop(): void {
    this.#rooms.markAll();
    this.#connector.stop();
    this.#requests.end();
    this.#endSigns?.();
    this.#endSigns = null;
  }

  wake(): void {
    this.#connector.wake();
  }

  open(room: string): View {
    const view = new View(room, this.#around);
    this.#views.add(view);
    return view;
  }

  onAlert(run: Parameters<Client['onAlert']>[0]): () => void {
    return this.#alerts.onAlert(run);
  }

  displayName(name: string) {
    return this.#people.displayName(name);
  }

  // --- the connection

  #url(): string {
    const page = typeof location === 'undefined' ? 'http://localhost' : location.href;
    const url = new URL(`${this.#base}/ws`, page);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return url.href;
  }

  #welcomed(welcome: Welcome): void {
    const { user: name, display_name: displayName, role, limits } = welcome;
    const before = this.me.get();
    const changed = before !== null && before.name !== name;
    if (changed) this.#rooms.clear();
    if (before?.name !== name || before.displayName !== displayName || before.role !== role) {
      this.me.set({ name, displayName, role: role as Me['role'] });
    }
    this.#people.learn(name, displayName);
    this.#typingMs = limits.typing_seconds * 1_000;
    this.#frameBytes = limits.frame_bytes;
    const messageCharacters = limits.message_characters;
    if (this.limits.get()?.messageCharacters !== messageCharacters) this.limits.set({ messageCharacters });
    this.#openOutbox(name);
    this.#rooms.welcomed(welcome);
    this.#people.welcomed();
    for (const view of this.#views) {
      if (changed) view.restart();
      else view.again();
    }
    this.#rooms.reconcile();
    this.#requests.welcomed();
    this.#outbox?.online();
  }

  #lost(): void {
    this.#rooms.lost();
    this.#people.lost();
    for (const timer of this.#typing.values()) this.#platform.clearTimeout(timer);
    this.#typing.clear();
    this.#outbox?.offline();
  }

  #event(event: ServerEvent): void {
    if (event.type === 'typing') this.#types(event.payload.room, event.payload.user);
    else if (event.type !== 'error' || !this.#outboxRefused(event)) this.#rooms.event(event);
    this.#requests.answered(event);
  }

  #outboxRefused(event: Extract<ServerEvent, { type: 'error' }>): boolean {
    return this.#outbox?.refused(event.payload) ?? false;
  }

  /** A sign that somebody types; it ends by itself. */
  #types(name: string, user: string): void {
    const room = this.#rooms.find(name);
    if (room === null || user === this.#rooms.me) return;
    if (!room.typing.includes(user)) room.typing = [...room.typing, user];
    room.touch();
    const key = `${room.name}\n${user}`;
    const timer = this.#typing.get(key);
    if (timer !== undefined) this.#platform.clearTimeout(timer);
    const end = () => {
      this.#typing.delete(key);
      room.typing = room.typing.filter((other) => other !== user);
      room.touch();
    };
    this.#typing.set(key, this.#platform.setTimeout(end, this.#typingMs));
  }

  // --- the outbox

  /** A browser's storage is of one origin, but may hold what is of another server. */
  get #server(): string {
    return this.#base === '' && typeof location !== 'undefined' ? location.origin : this.#base;
  }

  get #lastUser(): string {
    return `hubbub-user ${this.#server}`;
  }

  #openOutbox(name: string): void {
    const server = this.#server;
    this.#platform.remembered?.set(this.#lastUser, name);
    if (this.#outbox?.user === `${server} ${name}`) return;
    this.#outbox?.close();
    this.#outbox = new Outbox(name, server, this.#platform, {
      isReady: (room) => this.#isReady(room),
      send: (message) => this.#sendMessage(message),
      knows: (room, seq) => this.#knows(room, seq),
      changed: () => this.#frame.work(this.#showPending),
    });
    for (const [room, text, replyTo] of this.#early.splice(0)) this.#outbox.add(room, text, replyTo);
  }

  #add(room: string, text: string, replyTo: number | null): void {
    if (this.#outbox === null) this.#early.push([room, text, replyTo]);
    else this.#outbox.add(room, text, replyTo);
  }

  #sendMessage(message: SendMessage): 'sent' | 'offline' | 'too_large' {
    const event = { type: 'send_message', payload: message } as const;
    const bytes = new TextEncoder().encode(JSON.stringify(event)).length;
    if (this.#frameBytes > 0 && bytes > this.#frameBytes) return 'too_large';
    return this.#connector.send(event) ? 'sent' : 'offline';
  }

  #isReady(name: string): boolean {
    const room = this.#rooms.find(name);
    if (room === null || room.refusal !== null || !isWelcomeIn(room)) {
      void this.#lookForRoom(name);
      return false;
    }
    if (room.name !== name) {
      this.#outbox?.renamed(name, room.name);
      return false;
    }
    if (room.stage === 'live') return true;
    this.#rooms.reconcile();
    return false;
  }

  readonly #lookingFor = new Set<string>();

  /** A room that is not in the list: it may have another name now. */
  async #lookForRoom(name: string): Promise<void> {
    if (this.#lookingFor.has(name) || !this.#rooms.online) return;
    this.#lookingFor.add(name);
    const outbox = this.#outbox;
    try {
      const room: Room = await this.#rooms.resolve(name);
      if (room.name !== name) outbox?.renamed(name, room.name);
      if (isWelcomeIn(room)) this.#rooms.reconcile();
      else outbox?.refuseRoom(room.name, { code: 'left', message: 'You are in this room no more.' });
    } catch (error) {
      const known = error instanceof HubbubError ? error : null;
      if (known !== null && known.status >= 400 && !known.retry) outbox?.refuseRoom(name, { code: known.code, message: known.message });
    } finally {
      this.#lookingFor.delete(name);
    }
  }

  #knows(name: string, seq: number): boolean {
    const room = this.#rooms.find(name);
    return room === null || room.last === null || room.last >= seq;
  }
}

/** Nobody comes into a room by a message alone: they belong to it, or have it open. */
function isWelcomeIn(room: Room): boolean {
  return room.member || room.onlookers.size > 0;
}
