// What stands around a room, and around a view of one: the client that they are part of, and those who look.

import type { Api } from './api';
import type { HubbubError } from './errors';
import type { Message, Pending } from './model';
import type { Platform } from './platform';
import type { Requests } from './requests';
import type { Room } from './room';
import type { Rooms } from './rooms';
import type { Frame } from './store';
import type { Window } from './stretch';
import type { View } from './view';
import type * as wire from './wire';

/** What a room needs of the client around it. */
export interface Around {
  readonly me: string;
  now(): number;
  /** The room's entries want to be worked in, or it looks different: `settle` is to be called, soon. */
  dirty(room: Room): void;
  /** `enter` again, to resume. */
  resume(room: Room): void;
  /** A message of one's own is in the log. */
  echoed(id: string, seq: number): void;
  /** A message of somebody else. `live`: it came as it was written. */
  heard(room: Room, message: Message, live: boolean): void;
  renamed(room: Room, was: string): void;
  /** More was read than the server knows. */
  readMoved(room: Room): void;
}

/** Who looks at a room. */
export interface Onlooker {
  /** Work entries in; `end` is the room's own end, with them. */
  came(entries: readonly wire.Entry[], before: Window | null, end: Window | null): void;
  /** What was held is no more: numbers of another log (`reset`), or too much was missed. */
  forgotten(reset: boolean): void;
  /** It is live for the first time, or again. */
  ready(): void;
  refused(error: HubbubError): void;
  changed(): void;
}

export type Stage = 'out' | 'entering' | 'live';

/** What a view needs of the client around it. */
export interface ViewAround {
  readonly platform: Platform;
  readonly api: Api;
  readonly frame: Frame;
  readonly rooms: Rooms;
  readonly requests: Requests;
  pending(room: string): Pending[];
  add(room: string, text: string, replyTo: number | null): void;
  retry(id: string): void;
  drop(id: string): void;
  typing(room: Room): void;
  closed(view: View): void;
}
