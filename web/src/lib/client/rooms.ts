// All rooms of a user: the list, which of them are entered, and what the server says of each.

import type { Api } from './api';
import { messageFrom } from './decode';
import { byActivity, Entering } from './entering';
import { HubbubError } from './errors';
import { Marking } from './marking';
import type { Message, RoomSummary } from './model';
import { keyOf } from './names';
import { Outside } from './outside';
import type { Platform } from './platform';
import { errorFrom } from './requests';
import type { Around } from './around';
import { Room } from './room';
import { type Frame, Value } from './store';
import type * as wire from './wire';

const AGAIN_MS = 2_000;
const REFRESH_MS = 300;

export interface RoomsEvents {
  echoed(id: string, seq: number): void;
  heard(room: Room, message: Message, live: boolean): void;
  renamed(was: string, now: string): void;
  /** A room is live: what waits for it may be sent. */
  ready(room: Room): void;
}

export class Rooms implements Around {
  me = '';
  readonly list: Value<readonly RoomSummary[]>;
  /** Rooms that have something in the outbox: they are entered, to send it. */
  wantedToSend: () => readonly string[] = () => [];
  readonly #platform: Platform;
  readonly #api: Api;
  readonly #frame: Frame;
  readonly #events: RoomsEvents;
  readonly #rooms = new Map<string, Room>();
  readonly #dirty = new Set<Room>();
  readonly #entering: Entering;
  readonly #marking: Marking;
  readonly #outside: Outside;
  #opens = 0;
  #online = false;
  #refreshing = false;
  readonly #settle = () => this.#settleAll();

  constructor(platform: Platform, api: Api, frame: Frame, send: (event: wire.ClientEvent) => boolean, events: RoomsEvents) {
    this.#platform = platform;
    this.#api = api;
    this.#frame = frame;
    this.#events = events;
    this.#marking = new Marking(platform, send, () => this.#online);
    this.#outside = new Outside(platform, api, this);
    this.list = new Value<readonly RoomSummary[]>([], frame);
    const rooms = this.#rooms;
    this.#entering = new Entering(platform, send, {
      get all() {
        return rooms.values();
      },
      find: (name) => this.find(name),
      wantedToSend: () => this.wantedToSend(),
    });
  }

  get online(): boolean {
    return this.#online;
  }

  get all(): IterableIterator<Room> {
    return this.#rooms.values();
  }

  // --- the connection

  /** Nothing is entered by it: `reconcile` is to be called when those who look at rooms have found theirs. */
  welcomed(welcome: wire.Welcome): void {
    this.me = welcome.user;
    this.#online = true;
    this.#entering.welcomed(welcome);
    const listed = new Set(welcome.rooms.map((summary) => summary.room));
    const missing = [...this.#rooms.values()].filter((room) => room.member && !listed.has(room.name));
    for (const summary of welcome.rooms) this.#roomOf(summary.room).welcomed(summary, welcome.epoch);
    for (const room of this.#rooms.values()) room.refusal = null;
    for (const room of missing) {
      // To enter it could mean to join it again, against somebody's will.
      room.refusal = left();
      void this.#lookFor(room);
    }
    for (const room of [...this.#rooms.values()].sort(byActivity)) if (room.member) this.#outside.count(room);
    this.#frame.work(this.#settle);
  }

  lost(): void {
    this.#online = false;
    this.#entering.lost();
    this.#outside.lost();
    for (const room of this.#rooms.values()) room.lost();
  }

  /** As if nothing had ever been: somebody else logs in. */
  clear(): void {
    this.lost();
    for (const room of [...this.#rooms.values()]) this.#remove(room, new HubbubError('closed', 'You have logged out.'));
    this.list.set([]);
  }

  // --- looking up, opening and closing

  find(name: string): Room | null {
    const exact = this.#rooms.get(name);
    if (exact !== undefined) return exact;
    const key = keyOf(name);
    for (const room of this.#rooms.values()) if (keyOf(room.name) === key) return room;
    return null;
  }

  /** The room of any of its names, as the server knows it; throws `HubbubError`. Nothing is joined by it. */
  async resolve(name: string): Promise<Room> {
    const known = this.find(name) ?? (name.startsWith('@') ? this.#directWith(name.slice(1).split(',')) : null);
    if (known !== null && known.refusal === null) return known;
    const found = name.startsWith('@') ? await this.#api.directRoom(name.slice(1).split(',')) : await this.#api.room(name);
    const room = this.#roomOf(found.room);
    if (!room.member) {
      room.kind = found.kind;
      room.topic = found.topic;
      room.archived = found.archived;
    }
    room.refusal = null;
    return room;
  }

  /** Somebody looks at it now. */
  opened(room: Room): void {
    room.opened = ++this.#opens;
    this.reconcile();
  }

  /** An onlooker has left. */
  closed(room: Room): void {
    if (room.onlookers.size === 0) room.left();
    this.reconcile();
  }

  #directWith(names: readonly string[]): Room | null {
    const wanted = new Set([...names.map((name) => keyOf(name.trim())), keyOf(this.me)]);
    for (const room of this.#rooms.values()) {
      if (room.kind !== 'direct' || room.others.length !== wanted.size - 1) continue;
      if (room.others.every((name) => wanted.has(keyOf(name)))) return room;
    }
    return null;
  }

  #roomOf(name: string): Room {
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    const room = new Room(name, this);
    this.#rooms.set(name, room);
    return room;
  }

  /** A room that the server's list does not name: it has another name now, or one is no member any more. */
  async #lookFor(room: Room): Promise<void> {
    try {
      const found = await this.#api.room(room.name);
      if (found.member) {
        room.refusal = null;
        room.rename(found.room);
      } else this.#remove(room, left());
    } catch (error) {
      if (error instanceof HubbubError && error.status === 404) this.#remove(room, left());
      else if (this.#online) this.#platform.setTimeout(() => void this.#lookFor(room), AGAIN_MS);
    }
    this.reconcile();
  }

  #remove(room: Room, why: HubbubError): void {
    if (this.#rooms.get(room.name) === room) this.#rooms.delete(room.name);
    room.member = false;
    room.refusal = why;
    room.stage = 'out';
    this.#frame.work(this.#settle);
    for (const onlooker of [...room.onlookers]) onlooker.refused(why);
  }

  /** Enter what is wanted, leave what is not. */
  reconcile(): void {
    this.#entering.reconcile();
  }

  resume(room: Room): void {
    this.#entering.resume(room);
  }

  // --- what the server says

  event(event: wire.ServerEvent): void {
    switch (event.type) {
      case 'entered':
        return this.#entered(event.payload, event.ref);
      case 'exited':
        return this.#exited(event.payload, event.ref);
      case 'read':
        return this.find(event.payload.room)?.wasRead(event.payload);
      case 'presence':
        return this.#rooms.get(event.payload.room)?.came(event.payload);
      case 'room_head':
        return this.#roomHead(event.payload);
      case 'gap': {
        const room = this.#rooms.get(event.payload.room);
        if (room !== undefined && room.stage === 'live') this.resume(room);
        return;
      }
      case 'error':
        return this.#refused(event.payload, event.ref);
      case 'typing':
      case 'welcome':
        return;
      default:
        return this.#entry(event);
    }
  }

  #entered(entered: wire.Entered, ref: wire.Ref | undefined): void {
    const room = this.#entering.answered(ref);
    if (room === null) return;
    if (this.#rooms.get(room.name) !== room) return this.reconcile();
    const same = this.#rooms.get(entered.room);
    if (same !== undefined && same !== room && same.stage === 'out' && same.onlookers.size === 0) this.#rooms.delete(entered.room);
    if (entered.room !== room.name) room.rename(entered.room);
    const isNew = !room.member && room.onlookers.size === 0;
    room.entered(entered);
    // Somebody has begun to write to this user: what made the room known is news.
    if (isNew) for (const message of entered.messages ?? []) if (message.from !== this.me) this.heard(room, messageFrom(message), false);
    if (room.stage === 'live') this.#events.ready(room);
    this.reconcile();
  }

  #exited(exited: wire.Exited, ref: wire.Ref | undefined): void {
    if (this.#entering.left(ref)) return;
    const room = this.find(exited.room);
    if (room !== null) this.#remove(room, left());
    this.reconcile();
  }

  #entry(event: wire.ServerEvent): void {
    // Entries of a type that this client does not know have a number too, and count.
    const entry = event as wire.Entry;
    if (typeof entry.payload.seq !== 'number') return;
    const named = this.#rooms.get(entry.payload.room);
    const was = entry.type === 'room_changed' ? entry.payload.was : undefined;
    const room = named ?? (was === undefined ? undefined : this.#rooms.get(was));
    room?.take(entry);
  }

  #roomHead({ room: name, head, mentions: mentioned }: wire.RoomHead): void {
    const room = this.#rooms.get(name);
    if (room === undefined || !room.member) {
      this.#entering.news.add(name);
      this.#refresh();
      return;
    }
    const before = room.counter;
    room.headMoved(head, mentioned);
    const direct = room.kind === 'direct' && head > before.head;
    if (room.stage === 'out' && (direct || room.summary.mentions > 0) && head > before.head) void this.#outside.hear(room, before.head);
    if (direct) this.reconcile();
    this.#outside.count(room);
  }

  #refused(error: wire.Error, ref: wire.Ref | undefined): void {
    if (this.#entering.left(ref)) return;
    const room = this.#entering.answered(ref);
    if (room === null) return;
    room.stage = 'out';
    if (error.retry) {
      if (!room.member && room.onlookers.size === 0) this.#entering.news.add(room.name);
      this.#entering.pause(error.retry_after);
      return;
    }
    room.refusal = errorFrom(error);
    for (const onlooker of [...room.onlookers]) onlooker.refused(room.refusal);
    if (!room.member && this.#rooms.get(room.name) === room) this.#rooms.delete(room.name);
    this.reconcile();
  }

  // --- rooms that are new, or have another name

  #refresh(): void {
    if (this.#refreshing) return;
    this.#refreshing = true;
    this.#platform.setTimeout(() => void this.#readList(), REFRESH_MS);
  }

  async #readList(): Promise<void> {
    this.#refreshing = false;
    try {
      const mine = (await this.#api.rooms()).filter((room) => room.member);
      const names = new Set(mine.map((room) => room.room));
      for (const room of [...this.#rooms.values()]) if (room.member && !names.has(room.name)) await this.#lookFor(room);
      for (const found of mine) {
        const room = this.#roomOf(found.room);
        if (room.member) {
          this.#entering.news.delete(found.room);
          continue;
        }
        room.kind = found.kind;
        this.#entering.news.add(found.room); // it is entered, to know what is unread
      }
    } catch {
      // The next news of the room tries again.
    }
    this.reconcile();
  }

  // --- Around: what rooms ask for

  now(): number {
    return this.#platform.now();
  }

  dirty(room: Room): void {
    this.#dirty.add(room);
    this.#frame.work(this.#settle);
  }

  echoed(id: string, seq: number): void {
    this.#events.echoed(id, seq);
  }

  heard(room: Room, message: Message, live: boolean): void {
    this.#events.heard(room, message, live);
  }

  renamed(room: Room, was: string): void {
    if (this.#rooms.get(was) === room) this.#rooms.delete(was);
    const same = this.#rooms.get(room.name);
    if (same !== undefined && same !== room) {
      room.counter = same.counter;
      for (const onlooker of same.onlookers) room.onlookers.add(onlooker);
    }
    this.#rooms.set(room.name, room);
    this.#events.renamed(was, room.name);
  }

  readMoved(room: Room): void {
    this.#marking.moved(room);
  }

  /** Tell what was read and is not told yet. */
  markAll(): void {
    for (const room of this.#rooms.values()) this.#marking.tell(room);
  }

  #settleAll(): void {
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    for (const room of dirty) room.settle();
    const rooms = [...this.#rooms.values()].filter((room) => room.member).sort(byActivity);
    const list = rooms.map((room) => room.summary);
    const before = this.list.get();
    if (list.length !== before.length || list.some((summary, index) => summary !== before[index])) this.list.set(list);
  }
}

function left(): HubbubError {
  return new HubbubError('left', 'You are in this room no more.');
}
