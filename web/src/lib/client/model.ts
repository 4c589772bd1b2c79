// What a page sees of a Hubbub server: plain values, and stores of them. No Svelte, no DOM.

/** A value that changes: calls `run` with it at once, and at each change; returns what ends that. */
export interface Readable<T> {
  subscribe(run: (value: T) => void): () => void;
  /** The value now. */
  get(): T;
}

/** How the connection is. Times are milliseconds since 1970, by this machine's clock. */
export type Connection =
  | { kind: 'connecting'; since: number }
  | { kind: 'online' }
  /** Comes back by itself at `retryAt`. `lostAt`: since when nothing works. */
  | { kind: 'waiting'; why: 'lost' | 'restarting' | 'offline' | 'busy'; lostAt: number; retryAt: number }
  /** Over until somebody logs in again. */
  /** After `stop()`, too. */
  | { kind: 'ended'; why: 'logged_out' | 'never_logged_in' };

export interface Me {
  name: string;
  displayName: string;
  role: 'owner' | 'admin' | 'member' | 'bot';
}

export type RoomKind = 'public' | 'private' | 'direct';

/** A room in the list: one that the user belongs to. */
export interface RoomSummary {
  room: string;
  kind: RoomKind;
  topic: string;
  archived: boolean;
  role: 'owner' | 'member';
  /** Of a direct room: everybody else in it. */
  others: readonly string[];
  head: number;
  read: number;
  /**
   * What others wrote after `read`. Where this client has not seen the entries, it counts entries, as the server does,
   * joins and reactions among them: in a room that is not entered until it has looked what they are, if they are few.
   */
  unread: number;
  mentions: number;
  /** When its last entry was written, ms since 1970; 0: not known. The list's order. */
  active: number;
  /** Of a direct room: whether somebody else in it is connected. */
  online: boolean;
}

/** A message in the log, as it is now. */
export interface Message {
  kind: 'message';
  room: string;
  seq: number;
  id: string;
  from: string;
  text: string;
  /** ms since 1970. */
  sent: number;
  replyTo: number | null;
  edited: number | null;
  deleted: boolean;
  /** Names by emoji, in the order in which they came. */
  reactions: ReadonlyMap<string, readonly string[]>;
}

/** Something in the log that is no message: only of what came while the page was open. */
export interface Notice {
  kind: 'notice';
  room: string;
  seq: number;
  what:
    | { type: 'joined' | 'left'; user: string; by: string | null }
    | { type: 'changed'; by: string | null; was: string | null; topic: string | null; archived: boolean | null; roomKind: RoomKind | null; member: string | null; role: string | null };
}

export type Item = Message | Notice;

/** A message on its way: shown at the end of its room until its echo takes its place. */
export interface Pending {
  id: string;
  room: string;
  text: string;
  replyTo: number | null;
  /** When it was written, ms since 1970. */
  at: number;
  state: 'waiting' | 'sent' | 'refused';
  /** Of a refused one: the server's code and its sentence. */
  error: { code: string; message: string } | null;
}

/** What is shown of a room: a stretch of its log without a hole. */
export interface Stretch {
  /** 'loading' before the first answer; 'refused': `error` says why. */
  state: 'loading' | 'ready' | 'refused';
  error: { code: string; message: string } | null;
  /** By number. At most `WINDOW` of them: the far end is let go when more is loaded at the other. */
  items: readonly Item[];
  hasEarlier: boolean;
  /** There is more after the last item: what comes live is not added, only counted. */
  hasLater: boolean;
  /** Entries that came after the last item here, while `hasLater`. */
  newer: number;
  /** Where the line goes: the first number that was unread when the room was opened; null: nothing was. */
  firstUnread: number | null;
}

/** One open room. Get it from `Client.open`, end it with `close`. */
export interface RoomView {
  readonly room: Readable<RoomSummary | null>;
  readonly stretch: Readable<Stretch>;
  readonly pending: Readable<readonly Pending[]>;
  readonly present: Readable<{ names: readonly string[]; count: number }>;
  /** Who types now, oneself not among them. */
  readonly typing: Readable<readonly string[]>;
  loadEarlier(): Promise<void>;
  loadLater(): Promise<void>;
  /** A stretch around a number, e.g. of a linked message. */
  loadAround(seq: number): Promise<void>;
  /** Back to the end, live. */
  loadEnd(): Promise<void>;
  /** A message by number, from the stretch or from the server; null if there is none. */
  message(seq: number): Promise<Message | null>;
  send(text: string, replyTo?: number | null): void;
  /** Rejects with `HubbubError`. */
  edit(seq: number, text: string): Promise<void>;
  delete(seq: number): Promise<void>;
  react(seq: number, emoji: string, on: boolean): Promise<void>;
  /** Somebody types here; call it at each key, it is sent seldom. */
  typed(): void;
  /**
   * All up to `seq` has been seen. Never goes back. Pass the number of the last item seen: what follows it and is not
   * shown (edits, reactions) is read with it.
   */
  markRead(seq: number): void;
  /**
   * Whether the reader is at the end and goes along with what comes; true at first. While false nothing is let go at
   * the beginning: when there are `WINDOW` items, what comes live is only counted (`hasLater`, `newer`).
   */
  follow(on: boolean): void;
  retry(pendingId: string): void;
  drop(pendingId: string): void;
  close(): void;
}

/** For desktop notifications: a message that came live, is not one's own, and mentions the user or is direct. */
export interface Alert {
  message: Message;
  room: RoomSummary;
  why: 'mention' | 'direct';
}

/** One user's connection to one server, with an outbox that survives the page. */
export interface Client {
  readonly connection: Readable<Connection>;
  readonly me: Readable<Me | null>;
  /** In order of activity, last first; direct rooms among them. */
  readonly rooms: Readable<readonly RoomSummary[]>;
  readonly limits: Readable<{ messageCharacters: number } | null>;
  /** Connects with the session's cookie; 'ended' if there is none. Idempotent. */
  start(): void;
  /** Closes the connection; what waits to be sent stays in the outbox. */
  stop(): void;
  /** Try now, if it waits to connect again. */
  wake(): void;
  open(room: string): RoomView;
  onAlert(run: (alert: Alert) => void): () => void;
  /** Name as shown: the display name once it is known, the name until then. */
  displayName(name: string): Readable<string>;
}
