// One room as this client holds it: how far it has come in its log, its end, who is there, what is unread.

import type { HistoryPage } from './api';
import type { Around, Onlooker, Stage } from './around';
import type { HubbubError } from './errors';
import { RoomFacts, summaryOf } from './facts';
import { countedEntry, countedMessage, databaseOf } from './counting';
import { messageFrom } from './decode';
import type { Message, RoomSummary } from './model';
import { endOf, fromFront, lastPage, WINDOW, withEntries, type Page, type Window } from './stretch';
import * as unread from './unread';
import type * as wire from './wire';

/** What the end of a room keeps in memory while nobody looks at it. */
const KEPT = 100;
/** So many entries that wait for the next frame are worked in at once: a page that is not seen has few frames. */
const MOST_QUEUED = 500;

export class Room extends RoomFacts {
  name: string;
  member = false;
  /** ms since 1970; 0: not known. */
  active = 0;
  counter = unread.counterOf(0, 0, 0);
  /** How far the server knows that the room was read. */
  readTold = 0;
  /** The number of the last entry held, and the log it is of; null: nothing is held. */
  last: number | null = null;
  epoch: string | null = null;
  stage: Stage = 'out';
  /** The room's end; never has later entries. */
  end: Window | null = null;
  present: { names: readonly string[]; count: number } = { names: [], count: 0 };
  typing: readonly string[] = [];
  /** When it was opened last, by a count; 0: never. */
  opened = 0;
  /** Goes up when what was held is forgotten: what was asked for before is of no use. */
  generation = 0;
  /** Why it was not let in; until the next `welcome`. */
  refusal: HubbubError | null = null;
  readonly onlookers = new Set<Onlooker>();
  readonly #around: Around;
  readonly #recordings = new Set<wire.Entry[]>();
  #queue: wire.Entry[] = [];
  #summary: RoomSummary | null = null;

  constructor(name: string, around: Around) {
    super();
    this.name = name;
    this.#around = around;
  }

  // --- what the list says of it

  get summary(): RoomSummary {
    this.#summary ??= summaryOf(this);
    return this.#summary;
  }

  /** What `welcome` says. */
  welcomed(summary: wire.RoomSummary, epoch: string): void {
    this.learnSummary(summary, this.#around.me);
    if (summary.active !== undefined) this.active = Math.max(this.active, Date.parse(summary.active));
    this.member = true;
    this.refusal = null;
    this.readTold = summary.read;
    const same = this.epoch !== null && databaseOf(this.epoch) === epoch;
    if (this.epoch !== null && !same) this.counter = unread.counterOf(summary.head, summary.read, summary.mentions);
    else if (this.last === null) {
      // An old count of the same log is never ahead of the server, but for what was read here.
      const fresh = unread.counterOf(summary.head, summary.read, summary.mentions);
      this.counter = unread.readUpTo(fresh, same ? this.counter.read : 0, null);
    } else this.counter = unread.headMoved(unread.readUpTo(this.counter, summary.read, summary.mentions), summary.head, summary.mentions);
    if (this.counter.read > this.readTold) this.#around.readMoved(this);
    this.touch();
  }

  lost(): void {
    this.stage = 'out';
    this.typing = [];
    this.touch();
  }

  touch(): void {
    this.#summary = null;
    this.#around.dirty(this);
  }

  // --- coming in

  entered(entered: wire.Entered): void {
    this.learnEntered(entered, this.#around.me);
    this.member = true;
    this.refusal = null;
    this.present = { names: entered.present, count: entered.present_count };
    this.readTold = entered.read;
    const resumed = entered.messages === undefined;
    if (resumed) this.#resumed(entered);
    else this.#begun(entered);
    if (this.counter.read > entered.read) this.#around.readMoved(this);
    this.touch();
    if (this.stage === 'live') for (const onlooker of [...this.onlookers]) onlooker.ready();
  }

  /** From the last messages, whatever was held. */
  #begun(entered: wire.Entered): void {
    const page: Page = {
      messages: (entered.messages ?? []).map(messageFrom),
      head: entered.head,
      more: entered.earlier ?? false,
    };
    const reset = entered.reset === true || (this.epoch !== null && this.epoch !== entered.epoch);
    const ownRead = reset ? 0 : this.counter.read;
    if (this.last !== null) this.forget(reset);
    this.epoch = entered.epoch;
    this.last = entered.head;
    this.stage = 'live';
    this.end = lastPage(page);
    const counted = page.messages.map((message) => countedMessage(message, this.#around.me));
    this.counter = unread.pageKnown(entered.read, entered.mentions, this.end.from, entered.head, counted);
    this.counter = unread.readUpTo(this.counter, Math.max(ownRead, entered.read), null);
    this.learn(page.messages);
  }

  #resumed(entered: wire.Entered): void {
    this.epoch = entered.epoch;
    this.last ??= entered.head;
    this.end ??= endOf(this.last);
    this.counter = unread.readUpTo(this.counter, entered.read, null);
    const entries = entered.entries ?? [];
    for (const entry of entries) this.#take(entry, false);
    this.counter = unread.serverCounted(this.counter, entered.head, entered.read, entered.mentions);
    if (entered.more && entries.length > 0) this.#around.resume(this);
    else this.stage = 'live';
  }

  /** Let go of what is held; the numbers are of another log if `reset`. */
  forget(reset: boolean): void {
    this.generation++;
    this.last = null;
    this.end = null;
    this.#queue = [];
    if (reset) this.counter = unread.counterOf(0, 0, 0);
    for (const onlooker of [...this.onlookers]) onlooker.forgotten(reset);
  }

  // --- what comes live

  /** An entry, by the rules of docs/protocol.md, "Entering and resuming", step 4. */
  take(entry: wire.Entry): void {
    if (this.stage === 'live') this.#take(entry, true);
    else this.#echo(entry);
  }

  #take(entry: wire.Entry, live: boolean): void {
    const { seq } = entry.payload;
    this.#echo(entry);
    if (this.last === null || seq <= this.last) return;
    if (seq > this.last + 1) {
      if (live) this.#around.resume(this);
      return;
    }
    this.last = seq;
    this.#queue.push(entry);
    for (const recording of this.#recordings) recording.push(entry);
    this.#count(entry);
    if (entry.type === 'room_changed') this.#changed(entry.payload);
    if (entry.type === 'new_message') this.#heard(entry.payload, live);
    if (this.#queue.length >= MOST_QUEUED) this.settle();
    else this.touch();
  }

  #echo(entry: wire.Entry): void {
    if (entry.type === 'new_message' && entry.payload.from === this.#around.me) this.#around.echoed(entry.payload.id, entry.payload.seq);
  }

  #heard(payload: wire.NewMessage, live: boolean): void {
    const message = messageFrom(payload);
    this.active = Math.max(this.active, message.sent);
    this.typing = this.typing.filter((name) => name !== payload.from);
    if (payload.from !== this.#around.me && !message.deleted) this.#around.heard(this, message, live);
  }

  #count(entry: wire.Entry): void {
    const read = this.counter.read;
    this.counter = unread.entriesCame(this.counter, [countedEntry(entry, this.#around.me)]);
    if (this.counter.read > read) this.#around.readMoved(this);
  }

  #changed(change: wire.RoomChanged): void {
    this.learnChange(change, this.#around.me);
    if (change.was !== undefined && change.room !== this.name) this.rename(change.room);
  }

  rename(name: string): void {
    if (name === this.name) return;
    const was = this.name;
    this.name = name;
    this.#around.renamed(this, was);
    this.touch();
  }

  // --- not in the log

  came(news: wire.Presence): void {
    const went = new Set(news.went);
    const names = this.present.names.filter((name) => !went.has(name) && !news.came.includes(name));
    const count = Math.max(this.present.count + news.came.length - news.went.length, names.length + news.came.length);
    this.present = { names: [...names, ...news.came], count };
    this.touch();
  }

  headMoved(head: number, mentioned: number): void {
    if (head > this.counter.head) this.active = this.#around.now();
    this.counter = unread.headMoved(this.counter, head, mentioned);
    this.touch();
  }

  /** Read on another connection, or this one's mark came back. */
  wasRead(read: wire.Read): void {
    this.readTold = Math.max(this.readTold, read.seq);
    this.counter = unread.readUpTo(this.counter, read.seq, read.mentions ?? 0);
    this.touch();
  }

  markRead(seq: number): void {
    const before = this.counter.read;
    this.counter = unread.readUpTo(this.counter, Math.min(seq, this.counter.head), null);
    if (this.counter.read === before) return;
    this.#around.readMoved(this);
    this.touch();
  }

  /** A page of everything after a number, while it is not entered: now it is known what is unread. */
  looked(page: HistoryPage, after: number): void {
    const { head, read, to } = this.counter;
    if (page.head < to) return;
    const mentioned = unread.mentionsOf(this.counter);
    const counted = page.messages.map((message) => countedMessage(message, this.#around.me));
    const known = unread.pageKnown(read, mentioned, after + 1, page.head, counted);
    this.counter = unread.readUpTo(unread.headMoved(known, head, mentioned), read, null);
    if (this.counter.read > read) this.#around.readMoved(this);
    this.learn(page.messages);
  }

  // --- pages

  /** What comes until `stop` is kept in `entries`: a page that is read meanwhile may be older than that. */
  record(): { entries: readonly wire.Entry[]; stop(): void } {
    const entries: wire.Entry[] = [];
    this.#recordings.add(entries);
    return { entries, stop: () => void this.#recordings.delete(entries) };
  }

  /** Messages of a page: some may be what this client has sent. */
  learn(messages: readonly Message[]): void {
    for (const message of messages) {
      if (message.from === this.#around.me) this.#around.echoed(message.id, message.seq);
      this.active = Math.max(this.active, message.sent);
    }
    this.touch();
  }

  /** The room's end as a page has it, with what came since. */
  endFrom(page: Page, came: readonly wire.Entry[]): Window {
    const end = withEntries(lastPage(page), came);
    const { read } = this.counter;
    const mentioned = unread.mentionsOf(this.counter);
    const counted = page.messages.map((message) => countedMessage(message, this.#around.me));
    if (this.last !== null && end.to >= this.last) {
      this.end = end;
      if (page.head === this.counter.head) this.counter = unread.pageKnown(read, mentioned, end.from, page.head, counted);
    }
    this.learn(page.messages);
    return end;
  }

  /** Work in what waits: to be called once a frame. */
  settle(): void {
    const entries = this.#queue;
    this.#queue = [];
    const before = this.end;
    if (entries.length > 0 && before !== null) {
      this.end = withEntries(before, entries, this.onlookers.size > 0 ? WINDOW : KEPT);
    }
    for (const onlooker of [...this.onlookers]) {
      if (entries.length > 0) onlooker.came(entries, before, this.end);
      onlooker.changed();
    }
  }

  /** Nobody looks any more. */
  left(): void {
    if (this.end !== null) this.end = fromFront(this.end, KEPT);
  }
}
