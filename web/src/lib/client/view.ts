// One open room, as a page sees it.

import { asError, type HubbubError } from './errors';
import type { Message, Pending, RoomSummary, RoomView, Stretch } from './model';
import type { Requests } from './requests';
import type { Onlooker, ViewAround } from './around';
import type { Room } from './room';
import { Value } from './store';
import { closed, Reading } from './reading';
import { LOADING, samePending, stretchOf } from './showing';
import { seenTo, type Window } from './stretch';
import { firstUnreadOf } from './unread';
import type { Entry } from './wire';

const TYPING_MS = 3_000;

const NO_NAMES: readonly string[] = [];
const NOBODY = { names: NO_NAMES, count: 0 };
export class View implements RoomView, Onlooker {
  readonly room: Value<RoomSummary | null>;
  readonly stretch: Value<Stretch>;
  readonly pending: Value<readonly Pending[]>;
  readonly present: Value<{ names: readonly string[]; count: number }>;
  readonly typing: Value<readonly string[]>;
  readonly #around: ViewAround;
  /** The name it is open by: the one asked for until the room is known. */
  #name: string;
  #room: Room | null = null;
  readonly #reading: Reading;
  #error: HubbubError | null = null;
  #firstUnread: number | null = null;
  #closed = false;
  #resolving = false;
  #opening: Promise<void> | null = null;
  readonly #waiting: (() => void)[] = [];
  #typedAt = Number.NEGATIVE_INFINITY;
  readonly #refresh = () => this.#show();

  constructor(name: string, around: ViewAround) {
    this.#name = name;
    this.#around = around;
    const { frame } = around;
    this.room = new Value<RoomSummary | null>(null, frame);
    this.stretch = new Value<Stretch>(LOADING, frame);
    this.pending = new Value<readonly Pending[]>([], frame);
    this.present = new Value<{ names: readonly string[]; count: number }>(NOBODY, frame);
    this.typing = new Value<readonly string[]>(NO_NAMES, frame);
    this.#reading = new Reading(around.api, frame, () => this.#ready(), () => this.changed());
    this.find();
  }

  // --- finding its room

  /** Find the room, as soon as it is known which there are; again at each `welcome`, until it is found. */
  find(): void {
    if (this.#room !== null || this.#resolving || this.#closed || this.#error !== null) return;
    const known = this.#around.rooms.find(this.#name);
    if (known !== null && known.refusal === null) this.#attach(known);
    else if (this.#around.rooms.online) void this.#resolve();
    this.changed();
  }

  async #resolve(): Promise<void> {
    this.#resolving = true;
    try {
      const room = await this.#around.rooms.resolve(this.#name);
      this.#resolving = false;
      if (!this.#closed) this.#attach(room);
    } catch (error) {
      this.#resolving = false;
      const known = asError(error);
      if (known.retry || known.status === 0) this.#around.platform.setTimeout(() => this.find(), (known.retryAfter ?? 2) * 1_000);
      else this.refused(known);
    }
  }

  #attach(room: Room): void {
    if (this.#room !== null) return;
    this.#room = room;
    this.#name = room.name;
    room.onlookers.add(this);
    this.#around.rooms.opened(room);
    if (room.end !== null || room.stage === 'live') this.ready();
    this.#showNow();
  }

  // --- Onlooker

  ready(): void {
    if (this.#reading.window !== null || this.#opening !== null) return;
    this.#opening = this.#open().finally(() => (this.#opening = null));
  }

  /** Where a reader begins: at the first unread, else at the end. */
  async #open(): Promise<void> {
    const room = this.#room;
    if (room === null) return;
    this.#firstUnread = firstUnreadOf(room.counter);
    const first = this.#firstUnread;
    try {
      if (first !== null && room.end !== null && first < room.end.from) await this.loadAround(first);
      else if (room.end !== null && room.end.items.length > 0) this.#reading.place(room.end);
      else await this.loadEnd();
    } catch (error) {
      const known = asError(error);
      if (known.code === 'closed') return;
      if (known.status === 0 || known.retry) {
        this.#around.platform.setTimeout(() => this.ready(), (known.retryAfter ?? 2) * 1_000);
      } else this.refused(known);
      return;
    }
    this.#line(room);
  }

  /** The unread line stands at a message of somebody else that is there. */
  #line(room: Room): void {
    const { read } = room.counter;
    if (this.#firstUnread === null || this.#reading.window === null) return;
    const from = Math.min(this.#firstUnread, read + 1);
    const { me } = this.#around.rooms;
    const line = this.#reading.window.items.find(
      (item) => item.seq >= from && item.kind === 'message' && item.from !== me && !item.deleted,
    );
    this.#firstUnread = line?.seq ?? null;
    this.changed();
  }

  came(entries: readonly Entry[], before: Window | null, end: Window | null): void {
    this.#reading.came(entries, before, end);
  }

  forgotten(reset: boolean): void {
    const window = this.#reading.drop();
    this.#opening = null;
    const place = window?.items.at(window.hasLater ? Math.floor(window.items.length / 2) : -1);
    if (reset || place === undefined) return;
    // So much was missed that the end is far from here. The numbers are still good: go on reading at this place.
    this.#opening = this.loadAround(place.seq)
      .catch(() => {})
      .finally(() => {
        this.#opening = null;
        this.ready();
      });
  }

  refused(error: HubbubError): void {
    this.#error = error;
    this.#reading.drop();
  }

  changed(): void {
    this.#around.frame.work(this.#refresh);
  }

  // --- pages

  loadEarlier(): Promise<void> {
    return this.#reading.loadEarlier();
  }

  loadLater(): Promise<void> {
    return this.#reading.loadLater();
  }

  loadAround(seq: number): Promise<void> {
    return this.#reading.loadAround(seq);
  }

  loadEnd(): Promise<void> {
    return this.#reading.loadEnd();
  }

  message(seq: number): Promise<Message | null> {
    return this.#reading.message(seq);
  }

  /** The room, once it is found. */
  async #ready(): Promise<Room> {
    for (;;) {
      if (this.#closed) throw closed();
      if (this.#error !== null) throw this.#error;
      if (this.#room !== null) return this.#room;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  // --- speaking

  send(text: string, replyTo: number | null = null): void {
    this.#typedAt = Number.NEGATIVE_INFINITY;
    this.#around.add(this.#room?.name ?? this.#name, text, replyTo);
    this.#showNow();
  }

  async edit(seq: number, text: string): Promise<void> {
    const room = await this.#ready();
    await this.#ask({ type: 'edit_message', payload: { room: room.name, seq, message: text, id: this.#around.platform.newId() } });
  }

  async delete(seq: number): Promise<void> {
    const room = await this.#ready();
    await this.#ask({ type: 'delete_message', payload: { room: room.name, seq, id: this.#around.platform.newId() } });
  }

  async react(seq: number, emoji: string, on: boolean): Promise<void> {
    const room = await this.#ready();
    const payload = { room: room.name, seq, emoji, id: this.#around.platform.newId() };
    await this.#ask({ type: 'react', payload: on ? payload : { ...payload, remove: true } });
  }

  #ask(event: Parameters<Requests['ask']>[0]): Promise<void> {
    return this.#around.requests.ask(event);
  }

  typed(): void {
    const now = this.#around.platform.now();
    if (this.#room?.stage !== 'live' || now - this.#typedAt < TYPING_MS) return;
    this.#typedAt = now;
    this.#around.typing(this.#room);
  }

  markRead(seq: number): void {
    if (this.#room !== null && this.#reading.window !== null) this.#room.markRead(seenTo(this.#reading.window, seq));
  }

  follow(on: boolean): void {
    this.#reading.follows = on;
  }

  retry(pendingId: string): void {
    this.#around.retry(pendingId);
  }

  drop(pendingId: string): void {
    this.#around.drop(pendingId);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reading.close();
    this.#wakeWaiting();
    this.#around.closed(this);
    if (this.#room === null) return;
    this.#room.onlookers.delete(this);
    this.#around.rooms.closed(this.#room);
  }

  // --- showing

  /** Connected again: what was refused may be allowed now. But nobody comes back by it to a room they have left. */
  again(): void {
    if (this.#error !== null && this.#error.code !== 'left') this.restart();
    else this.find();
  }

  /** Begin anew: somebody else has logged in, or in again. */
  restart(): void {
    this.#room?.onlookers.delete(this);
    this.#room = null;
    this.#reading.drop();
    this.#error = null;
    this.#firstUnread = null;
    this.#opening = null;
    this.find();
  }

  /** What is already known, without waiting for a frame. */
  #showNow(): void {
    this.#show();
    this.#wakeWaiting();
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #show(): void {
    if (this.#closed) return;
    const room = this.#room;
    if (room !== null) this.#name = room.name;
    this.room.set(room?.member === true ? room.summary : null);
    this.present.set(room?.present ?? NOBODY);
    this.typing.set(room?.typing ?? NO_NAMES);
    this.#wakeWaiting();
    this.stretch.set(stretchOf(this.stretch.get(), this.#error, this.#reading.window, Math.max(room?.counter.head ?? 0, room?.last ?? 0), this.#firstUnread));
    const pending = this.#around.pending(this.#name);
    if (!samePending(pending, this.pending.get())) this.pending.set(pending);
  }
}
