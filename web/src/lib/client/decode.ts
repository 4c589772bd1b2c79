// From the wire's words to the model's.

import type { Message, Notice, RoomKind } from './model';
import type * as wire from './wire';

/** A message of a page, of `entered` or one that came live. */
export function messageFrom(message: wire.Message | wire.NewMessage): Message {
  const now: Partial<wire.Message> = message;
  return {
    kind: 'message',
    room: message.room,
    seq: message.seq,
    id: message.id,
    from: message.from,
    text: message.message,
    sent: Date.parse(message.sent),
    replyTo: message.reply_to ?? null,
    edited: now.edited === undefined ? null : Date.parse(now.edited),
    // A message is never empty: one that is, when resuming, was taken back later in the log.
    deleted: now.deleted ?? message.message === '',
    reactions: new Map(Object.entries(now.reactions ?? {})),
  };
}

/** An entry that is shown as a line of its own; null if this one is not. */
export function noticeFrom(entry: wire.Entry): Notice | null {
  const { room, seq } = entry.payload;
  if (entry.type === 'member_joined' || entry.type === 'member_left') {
    const type = entry.type === 'member_joined' ? 'joined' : 'left';
    return { kind: 'notice', room, seq, what: { type, user: entry.payload.user, by: entry.payload.by ?? null } };
  }
  if (entry.type !== 'room_changed') return null;
  const change = entry.payload;
  return {
    kind: 'notice',
    room,
    seq,
    what: {
      type: 'changed',
      by: change.by ?? null,
      was: change.was ?? null,
      topic: change.topic ?? null,
      archived: change.archived ?? null,
      roomKind: (change.kind as RoomKind | undefined) ?? null,
      member: change.member ?? null,
      role: change.role ?? null,
    },
  };
}
