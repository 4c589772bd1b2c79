// What the server says that a room is, and what the list says of it.

import type { RoomKind, RoomSummary } from './model';
import { othersOf } from './names';
import type { Room } from './room';
import * as unread from './unread';
import type * as wire from './wire';

export class RoomFacts {
  kind: RoomKind = 'public';
  topic = '';
  archived = false;
  role: 'owner' | 'member' = 'member';
  /** Of a direct room: everybody else in it. */
  others: readonly string[] = [];

  learnSummary(summary: wire.RoomSummary, me: string): void {
    this.kind = summary.kind as RoomKind;
    this.topic = summary.topic ?? '';
    this.archived = summary.archived ?? false;
    this.role = roleOf(summary.role);
    this.others = summary.members?.filter((name) => name !== me) ?? othersOf(summary.room, me);
  }

  learnEntered(entered: wire.Entered, me: string): void {
    this.kind = entered.kind as RoomKind;
    this.topic = entered.topic;
    this.archived = entered.archived ?? false;
    this.role = roleOf(entered.role);
    if (this.kind === 'direct' && this.others.length === 0) this.others = othersOf(entered.room, me);
  }

  learnChange(change: wire.RoomChanged, me: string): void {
    if (change.topic !== undefined) this.topic = change.topic;
    if (change.archived !== undefined) this.archived = change.archived;
    if (change.kind !== undefined) this.kind = change.kind as RoomKind;
    if (change.member === me && change.role !== undefined) this.role = roleOf(change.role);
  }
}

/** What the list says of a room. */
export function summaryOf(room: Room): RoomSummary {
  const { name, kind, topic, archived, role, others, counter, active } = room;
  return {
    room: name,
    kind,
    topic,
    archived,
    role,
    others,
    head: counter.head,
    read: counter.read,
    unread: unread.unreadOf(counter),
    mentions: unread.mentionsOf(counter),
    active,
    online: kind === 'direct' && room.present.names.some((one) => others.includes(one)),
  };
}

function roleOf(role: string | undefined): 'owner' | 'member' {
  return role === 'owner' ? 'owner' : 'member';
}
