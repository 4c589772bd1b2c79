// Names of rooms and people as text, for what is no component: the title, notifications, filters.
import type { RoomSummary } from '../client';
import { formatList, t } from '../i18n';
import { client } from './client';

export const shownName = (name: string): string => client.displayName(name).get() || name;

/** A room's name; of a direct room, who else is in it. */
export function roomLabel(room: Pick<RoomSummary, 'room' | 'kind' | 'others'>): string {
  if (room.kind !== 'direct') return room.room;
  return room.others.length === 0 ? t('shell.yourself') : formatList(room.others.map(shownName));
}
