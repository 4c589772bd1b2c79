// All rooms of a user: the list, which of them are entered, and what the server says of each.

import type { Api } from './api';
import type { Around } from './around';
import { messageFrom } from './decode';
import { Directory } from './directory';
import { byActivity, Entering } from './entering';
import { HubbubError } from './errors';
import { left, Lookup, type LookupAround } from './lookup';
import { Marking } from './marking';
import type { Message, RoomSummary } from './model';
import { Outside } from './outside';
import type { Platform } from './platform';
import { errorFrom } from './requests';
import { Room } from './room';
import { type Frame, Value } from './store';
import type * as wire from './wire';

export interface RoomsEvents {
  echoed(id: string, seq: number): void;
  heard(room: Room, message: Message, live: boolean): void;
  renamed(was: string, now: string): void;
  /** A room is live: what waits for it may be sent. */
  ready(room: Room): void;
}

export class Rooms implements Around, LookupAround {
  me = '';
  readonly list: Value<readonly RoomSummary[]>;
  /** Rooms that have something in the outbox: they are entered, to send it. */
  wantedToSend: () => readonly string[] = () => [];
  readonly #platform: Platform;
  readonly #frame: Frame;
  readonly #events: RoomsEvents;
  readonly #rooms = new Directory();
  readonly #dirty = new Set<Room>();
  readonly #entering: Entering;
  readonly #marking: Marking;
  readonly #outside: Outside;
  readonly #lookup: Lookup;
  #opens = 0;
  #online = false;
  readonly #settle = () => this.#settleAll();

  constructor(platform: Platform, api: Api, frame: Frame, send: (event: wire.ClientEvent) => boolean, events: RoomsEvents) {
    this.#platform = platform;
    this.#frame = frame;
    this.#events = events;
    this.#marking = new Marking(platform, send, () => this.#online);
    this.#outside = new Outside(platform, api, this);
    this.list = new Value<readonly RoomSummary[]>([], frame);
    const rooms = this.#rooms;
    this.#lookup = new Lookup(platform, api, rooms, this);
    this.#entering = new Entering(platform, send, {
      get all() {
        return rooms.all;
      },
      find: (name) => this.find(name),
      wantedToSend: () => this.wantedToSend(),
    });
  }

  get online(): boolean {
    return this.#online;
  }

  get all(): Room[] {
    return this.#rooms.all;
  }

  // --- the connection

  /** Nothing is entered by it: `reconcile` is to be called when those who look at rooms have found theirs. */
  welcomed(welcome: wire.Welcome): void {
    this.me = welcome.user;
    this.#online = true;
    this.#entering.welcomed(welcome);
    const listed = new Set(welcome.rooms.map((summary) => summary.room));
    const missing = this.#rooms.all.filter((room) => room.member && !listed.has(room.name));
    for (const summary of welcome.rooms) this.roomOf(summary.room).welcomed(summary, welcome.epoch);
    for (const room of this.#rooms.all) room.refusal = null;
    for (const room of missing) {
      // To enter it could mean to join it again, against somebody's will.
      room.refusal = left();
      void this.#lookup.lookFor(room);
    }
    for (const room of this.#rooms.all.sort(byActivity)) if (room.member) this.#outside.count(room);
    this.#frame.work(this.#settle);
  }

  lost(): void {
    this.#online = false;
    this.#entering.lost();
    this.#outside.lost();
    for (const room of this.#rooms.all) room.lost();
  }

  /** As if nothing had ever been: somebody else logs in. */
  clear(): void {
    this.lost();
    for (const room of this.#rooms.all) this.remove(room, new HubbubError('closed', 'You have logged out.'));
    this.list.set([]);
  }

  // --- looking up, opening and closing

  find(name: string): Room | null {
    return this.#rooms.find(name);
  }

  resolve(name: string): Promise<Room> {
    return this.#lookup.resolve(name);
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

  /** The room of this name, made if it was not known. */
  roomOf(name: string): Room {
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    const room = new Room(name, this);
    this.#rooms.put(room);
    return room;
  }

  isNews(name: string, news: boolean): void {
    if (news) this.#entering.news.add(name);
    else this.#entering.news.delete(name);
  }

  remove(room: Room, why: HubbubError): void {
    this.#rooms.drop(room);
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
    if (same !== undefined && same !== room && same.stage === 'out' && same.onlookers.size === 0) this.#rooms.drop(same);
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
    if (room !== null) this.remove(room, left());
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
      this.#lookup.refresh();
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
    if (!room.member) this.#rooms.drop(room);
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
    this.#rooms.drop(room, was);
    const same = this.#rooms.get(room.name);
    if (same !== undefined && same !== room) {
      room.counter = same.counter;
      for (const onlooker of same.onlookers) room.onlookers.add(onlooker);
    }
    this.#rooms.put(room);
    this.#events.renamed(was, room.name);
  }

  readMoved(room: Room): void {
    this.#marking.moved(room);
  }

  /** Tell what was read and is not told yet. */
  markAll(): void {
    for (const room of this.#rooms.all) this.#marking.tell(room);
  }

  #settleAll(): void {
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    for (const room of dirty) room.settle();
    const rooms = this.#rooms.all.filter((room) => room.member).sort(byActivity);
    const list = rooms.map((room) => room.summary);
    const before = this.list.get();
    if (list.length !== before.length || list.some((summary, index) => summary !== before[index])) this.list.set(list);
  }
}
