// Which rooms this connection is in: the open ones first, then those that something waits to be sent to, those opened
// last, and direct rooms, so that it is known who is there.

import type { Platform } from './platform';
import type { Room } from './room';
import type * as wire from './wire';

/** A room where so much was missed is not caught up with entry by entry: it begins anew. */
const MOST_MISSED = 2_000;
/** Rooms opened last that stay entered, so that going back to them takes no time. */
const STAY = 10;
/** Direct rooms that are entered. */
const DIRECT = 50;
const AT_ONCE = 6;
const AGAIN_MS = 1_000;

export interface EnteringAround {
  readonly all: Iterable<Room>;
  find(name: string): Room | null;
  /** Rooms with something in the outbox. */
  wantedToSend(): readonly string[];
}

export class Entering {
  /** Rooms to be entered once, to know what is in them. */
  readonly news = new Set<string>();
  readonly #platform: Platform;
  readonly #send: (event: wire.ClientEvent) => boolean;
  readonly #around: EnteringAround;
  readonly #asked = new Map<wire.Ref, Room>();
  readonly #leaving = new Set<wire.Ref>();
  #online = false;
  #epoch = '';
  #most = 0;
  #refs = 0;
  /** The server has refused for a while to let anybody in: ms since 1970. */
  #notBefore = 0;

  constructor(platform: Platform, send: (event: wire.ClientEvent) => boolean, around: EnteringAround) {
    this.#platform = platform;
    this.#send = send;
    this.#around = around;
  }

  welcomed(welcome: wire.Welcome): void {
    this.#online = true;
    this.#notBefore = 0;
    this.#epoch = welcome.epoch;
    this.#most = welcome.limits.rooms_entered > 0 ? welcome.limits.rooms_entered : Number.MAX_SAFE_INTEGER;
  }

  lost(): void {
    this.#online = false;
    this.#asked.clear();
    this.#leaving.clear();
  }

  /** Enter what is wanted, leave what is not. */
  reconcile(): void {
    if (!this.#online) return;
    const wanted = this.#wanted();
    let inside = this.#asked.size;
    for (const room of this.#around.all) {
      if (room.stage !== 'live') continue;
      if (wanted.has(room)) inside++;
      else this.#exit(room);
    }
    if (this.#platform.now() < this.#notBefore) return;
    for (const room of wanted) {
      if (this.#asked.size >= AT_ONCE || inside >= this.#most) return;
      if (room.stage !== 'out' || room.refusal !== null) continue;
      this.#ask(room);
      inside++;
    }
  }

  /** Something is missing, or there is more: go on after the last entry held. */
  resume(room: Room): void {
    if (this.#online && ![...this.#asked.values()].includes(room)) this.#ask(room);
  }

  /** Whose answer this is; null: nobody's. */
  answered(ref: wire.Ref | undefined): Room | null {
    const room = ref === undefined ? undefined : this.#asked.get(ref);
    if (ref === undefined || room === undefined) return null;
    this.#asked.delete(ref);
    this.news.delete(room.name);
    return room;
  }

  /** True: it was left because this client wanted to. */
  left(ref: wire.Ref | undefined): boolean {
    return ref !== undefined && this.#leaving.delete(ref);
  }

  /** Nobody is let in for so long. */
  pause(seconds: number | undefined): void {
    const wait = Math.max(100, (seconds ?? AGAIN_MS / 1_000) * 1_000);
    this.#notBefore = this.#platform.now() + wait;
    this.#platform.setTimeout(() => this.reconcile(), wait + 10);
  }

  /** In the order in which they are to be entered. */
  #wanted(): Set<Room> {
    const all = [...this.#around.all];
    const byOpened = all.filter((room) => room.opened > 0).sort((one, other) => other.opened - one.opened);
    const direct = all.filter((room) => room.kind === 'direct' && room.member).sort(byActivity);
    const wanted = [
      ...byOpened.filter((room) => room.onlookers.size > 0),
      ...this.#around.wantedToSend().map((name) => this.#around.find(name)),
      ...byOpened.slice(0, STAY),
      ...[...this.news].map((name) => this.#around.find(name)),
      ...direct.slice(0, DIRECT),
    ].filter((room) => room !== null);
    return new Set([...new Set(wanted)].slice(0, this.#most));
  }

  #ask(room: Room): void {
    room.stage = 'entering';
    const payload: wire.Enter = { room: room.name };
    const missed = room.last === null ? 0 : room.counter.head - room.last;
    if (room.last !== null && room.epoch !== null && missed <= MOST_MISSED) {
      payload.after = room.last;
      payload.epoch = room.epoch;
    } else if (room.last === null && room.onlookers.size === 0 && room.counter.head > 0 && !isCalling(room)) {
      // Nobody looks: hear what comes, and who is there, without the last messages. Both are of the same `welcome`.
      payload.after = room.counter.head;
      payload.epoch = this.#epoch;
    }
    const ref = `e${++this.#refs}`;
    if (this.#send({ type: 'enter', ref, payload })) this.#asked.set(ref, room);
  }

  #exit(room: Room): void {
    const ref = `x${++this.#refs}`;
    this.#leaving.add(ref);
    this.#send({ type: 'exit', ref, payload: { room: room.name } });
    room.opened = 0;
    room.forget(false);
    room.lost();
  }
}

/** Its unread count calls for the user, so it is to be of messages, not of entries: the last of them say. */
function isCalling(room: Room): boolean {
  return room.kind === 'direct' && room.summary.unread > 0;
}

/** What was active last is first; what is not known comes after it, unread before read. */
export function byActivity(one: Room, other: Room): number {
  if (one.active !== other.active) return other.active - one.active;
  const unread = Number(other.summary.unread > 0) - Number(one.summary.unread > 0);
  return unread !== 0 ? unread : one.name.localeCompare(other.name);
}
