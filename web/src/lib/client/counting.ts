// What a message, or another entry, is for the count of what is unread; and of which log the numbers are.

import { messageFrom } from './decode';
import type { Message } from './model';
import { mentions } from './names';
import type { Counted } from './unread';
import type * as wire from './wire';

export function countedMessage(message: Message, me: string): Counted {
  const loud = message.from !== me && !message.deleted;
  return { seq: message.seq, loud, mentions: loud && mentions(message.text, me), deletes: null };
}

export function countedEntry(entry: wire.Entry, me: string): Counted {
  if (entry.type === 'new_message') return countedMessage(messageFrom(entry.payload), me);
  const deletes = entry.type === 'message_deleted' ? entry.payload.target : null;
  return { seq: entry.payload.seq, loud: false, mentions: false, deletes };
}

/** A room's epoch is that of the database, a dot, and what tells the room from others. */
export function databaseOf(epoch: string): string {
  return epoch.split('.', 1)[0] ?? epoch;
}
