// The outbox of one user: everything written and not yet known to be on the server's disk.

import type { Pending } from '../model';
import type { Channel, Platform, Timer } from '../platform';
import type { Error as WireError, SendMessage } from '../wire';
import { inOrder, nextToSend, pendingFrom, timeAfter, wellFormed, type Kept } from './kept';
import { memoryStore, openStore, type OutboxStore } from './store';
import { makeTurn, type Turn } from './turn';

/** So long without an echo, and it is sent again: with its old id that changes nothing. */
const ECHO_MS = 15_000;
/** A store that takes longer does not keep a message from being sent. */
const STORE_MS = 1_500;
const AGAIN_MS = 1_000;
const MOST_GONE = 2_000;
/** So long may another tab take to send what was written here. */
const IDLE_MS = 4_000;

/** What tabs tell each other. */
type Told = { type: 'put'; item: Kept } | { type: 'gone'; id: string; seq: number | null };

export interface OutboxAround {
  /** Whether the room's entries come live: then its messages may be sent. If not, see to it that they will. */
  isReady(room: string): boolean;
  /** False: there is no connection. `tooLarge`: it can't travel. */
  send(message: SendMessage): 'sent' | 'offline' | 'too_large';
  /** Whether this tab knows the entry numbered `seq` already, or will never show it. */
  knows(room: string, seq: number): boolean;
  changed(): void;
}

export class Outbox {
  readonly user: string;
  readonly #platform: Platform;
  readonly #around: OutboxAround;
  readonly #kept = new Map<string, Kept>();
  /** Written, and not yet in the store. */
  readonly #storing = new Set<string>();
  readonly #onTheirWay = new Map<string, Timer>();
  /** In the log, but this tab has yet to hear of it: still shown, sent no more. */
  readonly #done = new Map<string, { item: Kept; seq: number }>();
  readonly #channel: Channel | null;
  #store: OutboxStore = memoryStore();
  #turn: Turn | null = null;
  #loaded = false;
  #online = false;
  #closed = false;
  #notBefore = 0;
  #timer: Timer | null = null;
  /** Everything known to be in the log, so that no old copy comes back from another tab or the store. */
  readonly #gone = new Set<string>();
  readonly loaded: Promise<void>;

  constructor(user: string, server: string, platform: Platform, around: OutboxAround) {
    this.user = `${server} ${user}`;
    this.#platform = platform;
    this.#around = around;
    this.#channel = platform.channel?.(`hubbub-outbox ${this.user}`) ?? null;
    if (this.#channel !== null) this.#channel.onmessage = ({ data }) => this.#told(data as Told);
    this.loaded = this.#load();
  }

  // --- what is there

  /** What waits in this room, in order. */
  pending(room: string): Pending[] {
    const items = [...this.#kept.values(), ...[...this.#done.values()].map(({ item }) => item)];
    const isSent = (item: Kept) => this.#onTheirWay.has(item.id) || this.#done.has(item.id);
    return inOrder(items.filter((item) => item.room === room)).map((item) => pendingFrom(item, isSent(item)));
  }

  /** Rooms of which something waits to be sent by this tab. */
  rooms(): string[] {
    if (this.#turn?.has() !== true) return [];
    return [...new Set(inOrder(this.#kept.values()).filter((item) => item.refused === null).map((item) => item.room))];
  }

  // --- what people do

  add(room: string, text: string, replyTo: number | null): void {
    const at = timeAfter(this.#kept.values(), this.#platform.now());
    const id = this.#platform.newId();
    this.#put({ id, user: this.user, room, text: wellFormed(text), replyTo, at, refused: null });
    this.#platform.setTimeout(() => this.#hurry(id), IDLE_MS);
  }

  /** Written here, and the tab whose turn it is does nothing about it. */
  #hurry(id: string): void {
    const item = this.#kept.get(id);
    if (item === undefined || item.refused !== null || this.#closed || !this.#online) return;
    if (this.#turn?.has() === false && this.#platform.isVisible()) this.#turn.steal();
  }

  retry(id: string): void {
    const item = this.#kept.get(id);
    if (item !== undefined && item.refused !== null) this.#put({ ...item, refused: null });
  }

  drop(id: string): void {
    if (this.#kept.has(id)) this.#remove(id, null);
  }

  // --- what happens

  online(): void {
    this.#online = true;
    this.#turn?.want();
    this.push();
  }

  offline(): void {
    this.#online = false;
    this.#notBefore = 0;
    for (const timer of this.#onTheirWay.values()) this.#platform.clearTimeout(timer);
    this.#onTheirWay.clear();
    this.#turn?.release();
    this.#around.changed();
  }

  /** A message of one's own is in the log. */
  echoed(id: string, seq: number): void {
    if (this.#done.delete(id)) this.#around.changed();
    const item = this.#kept.get(id);
    if (item === undefined) return;
    this.#remove(id, seq);
    // While resuming it may come before its place in the log: then it is shown here until that is reached.
    if (!this.#around.knows(item.room, seq)) this.#done.set(id, { item, seq });
  }

  /** True if the refusal is of something here. */
  refused(error: WireError): boolean {
    const item = error.id === undefined ? undefined : this.#kept.get(error.id);
    if (item === undefined) return false;
    this.#landed(item.id);
    if (error.retry) {
      this.#pause((error.retry_after ?? AGAIN_MS / 1_000) * 1_000);
      this.#around.changed();
    } else this.#put({ ...item, refused: { code: error.code, message: error.message } });
    return true;
  }

  renamed(was: string, now: string): void {
    for (const item of this.#kept.values()) if (item.room === was) this.#put({ ...item, room: now });
    for (const done of this.#done.values()) if (done.item.room === was) done.item = { ...done.item, room: now };
  }

  /** It can't be sent, and never will. */
  refuseRoom(room: string, refused: { code: string; message: string }): void {
    for (const item of [...this.#kept.values()]) if (item.room === room && item.refused === null) this.#put({ ...item, refused });
  }

  /** What other tabs have seen in the log may be known here now. */
  settle(): void {
    for (const [id, { item, seq }] of this.#done) if (this.#around.knows(item.room, seq)) this.#done.delete(id);
  }

  /** Send what may be sent. */
  push(): void {
    if (!this.#online || this.#closed || this.#turn?.has() !== true) return;
    if (this.#platform.now() < this.#notBefore) return this.#pushLater();
    for (const item of nextToSend(this.#kept.values(), new Set(this.#onTheirWay.keys()))) {
      if (!this.#storing.has(item.id) && this.#around.isReady(item.room)) this.#send(item);
    }
  }

  close(): void {
    this.#closed = true;
    this.offline();
    if (this.#timer !== null) this.#platform.clearTimeout(this.#timer);
    this.#channel?.close();
  }

  // --- inside

  async #load(): Promise<void> {
    this.#store = await openStore(this.#platform.indexedDB);
    if (this.#closed) return;
    let items: Kept[] = [];
    try {
      items = await this.#store.all(this.user);
    } catch {
      this.#store = memoryStore();
    }
    if (this.#closed) return;
    for (const item of items) {
      if (this.#gone.has(item.id)) void this.#store.delete(item.id).catch(() => {});
      else if (!this.#kept.has(item.id)) this.#kept.set(item.id, item);
    }
    for (const id of this.#storing) void this.#storeItem(id);
    this.#loaded = true;
    const got = () => this.push();
    const lost = () => {
      if (this.#online) this.#turn?.want();
    };
    this.#turn = makeTurn(`hubbub-outbox ${this.user}`, this.#platform, this.#store, got, lost);
    if (this.#online) this.#turn.want();
    this.#around.changed();
    this.push();
  }

  #send(item: Kept): void {
    const message: SendMessage = { room: item.room, id: item.id, message: item.text };
    if (item.replyTo !== null) message.reply_to = item.replyTo;
    const sent = this.#around.send(message);
    if (sent === 'too_large') this.#put({ ...item, refused: { code: 'too_large', message: 'The message is too large.' } });
    if (sent !== 'sent') return;
    const timer = this.#platform.setTimeout(() => {
      this.#landed(item.id);
      this.push();
    }, ECHO_MS);
    this.#onTheirWay.set(item.id, timer);
    this.#around.changed();
  }

  #landed(id: string): void {
    const timer = this.#onTheirWay.get(id);
    if (timer !== undefined) this.#platform.clearTimeout(timer);
    this.#onTheirWay.delete(id);
  }

  #pause(ms: number): void {
    this.#notBefore = Math.max(this.#notBefore, this.#platform.now() + Math.max(ms, 20));
    this.#pushLater();
  }

  /** A timer may be a little early: then it is set once more. */
  #pushLater(): void {
    if (this.#timer !== null) this.#platform.clearTimeout(this.#timer);
    this.#timer = this.#platform.setTimeout(() => this.push(), Math.ceil(this.#notBefore - this.#platform.now()));
  }

  #put(item: Kept): void {
    this.#kept.set(item.id, item);
    this.#storing.add(item.id);
    this.#tell({ type: 'put', item });
    if (this.#loaded) void this.#storeItem(item.id);
    this.#around.changed();
    this.push();
  }

  /** First on the disk, then on the wire. */
  async #storeItem(id: string): Promise<void> {
    const item = this.#kept.get(id);
    if (item !== undefined) {
      let timer: Timer | null = null;
      const late = new Promise<void>((resolve) => (timer = this.#platform.setTimeout(resolve, STORE_MS)));
      await Promise.race([this.#store.put(item).catch(() => {}), late]);
      this.#platform.clearTimeout(timer);
    }
    // Gone or changed meanwhile: the later one counts.
    if (this.#gone.has(id)) void this.#store.delete(id).catch(() => {});
    this.#storing.delete(id);
    this.push();
  }

  #remove(id: string, seq: number | null): void {
    this.#forget(id);
    if (this.#loaded) void this.#store.delete(id).catch(() => {});
    this.#tell({ type: 'gone', id, seq });
    this.#around.changed();
    this.push();
  }

  #forget(id: string): void {
    this.#landed(id);
    this.#kept.delete(id);
    this.#gone.add(id);
    if (this.#gone.size > MOST_GONE) for (const old of [...this.#gone].slice(0, MOST_GONE / 2)) this.#gone.delete(old);
  }

  // --- other tabs

  #tell(told: Told): void {
    if (!this.#closed) this.#channel?.postMessage(told);
  }

  #told(told: Told): void {
    if (told.type === 'put' && !this.#gone.has(told.item.id)) this.#kept.set(told.item.id, told.item);
    if (told.type === 'gone') {
      const item = this.#kept.get(told.id);
      this.#forget(told.id);
      // Shown until its echo is here, so that it does not vanish and come back.
      if (item !== undefined && told.seq !== null && !this.#around.knows(item.room, told.seq)) {
        this.#done.set(told.id, { item, seq: told.seq });
      }
    }
    this.#around.changed();
    this.push();
  }
}
