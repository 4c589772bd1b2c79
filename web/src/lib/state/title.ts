// The window's title and the numbers that it, the favicon and the app's icon carry.
import type { RoomSummary } from '../client';

/** What waits to be read: messages to show in the title, and of these what calls for the user. */
export interface Waiting {
  unread: number;
  /** Mentions, and everything in direct messages. */
  calls: number;
}

/** Over all rooms that are not archived. */
export function waitingIn(rooms: readonly RoomSummary[]): Waiting {
  let unread = 0;
  let calls = 0;
  for (const room of rooms) {
    if (room.archived) continue;
    unread += room.unread;
    calls += room.kind === 'direct' ? room.unread : room.mentions;
  }
  return { unread, calls };
}

/** `(3) general · Hubbub`. */
export function titleOf(count: number, place: string | null, brand: string): string {
  const number = count > 0 ? `(${short(count)}) ` : '';
  return number + (place ? `${place} · ${brand}` : brand);
}

/** A number for what calls for the user, a dot for what is only new, nothing for nothing. */
export function badgeOf({ unread, calls }: Waiting): string {
  return calls > 0 ? short(calls) : unread > 0 ? 'dot' : '';
}

/** At most three characters: `99+`. */
export function short(count: number): string {
  return count > 99 ? '99+' : String(count);
}
