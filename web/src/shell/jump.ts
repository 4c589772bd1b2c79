// What the jump dialog offers: one's rooms, other rooms, and people, best first.
import type { Person, Room, RoomSummary } from '../lib/client';
import { roomLabel } from '../lib/state/names';
import { score } from './find';

interface Place {
  kind: 'room';
  key: string;
  room: string;
  label: string;
  detail: string;
  /** Whose picture stands before it; null: none. */
  person: string | null;
  locked: boolean;
  several: boolean;
  unread: number;
}

export type Target = Place | { kind: 'search'; key: string; query: string };

export interface Known {
  /** One's own, by activity. */
  rooms: readonly RoomSummary[];
  others: readonly Room[];
  people: readonly Person[];
  me: string;
}

const MOST = 12;

/** At most twelve places, and the search for what was typed. Nothing typed: one's own rooms by activity. */
export function targets(query: string, known: Known): Target[] {
  const text = query.trim().replace(/^[@#]/, '');
  const places = query.trim() === '' ? mine(known).filter((place) => !place.archived) : [...mine(known), ...elsewhere(known), ...persons(known)];
  const found = places
    .map((place, order) => ({ place, order, points: Math.max(score(text, place.label), score(text, place.detail) * 0.9) + (place.own ? 0.5 : 0) }))
    .filter(({ place, points }) => points > (place.own ? 0.5 : 0))
    .sort((one, other) => other.points - one.points || one.order - other.order)
    .slice(0, MOST)
    .map(({ place }): Target => place);
  return text ? [...found, { kind: 'search', key: 'search', query: text }] : found;
}

type Candidate = Place & { own: boolean; archived: boolean };

function mine({ rooms }: Known): Candidate[] {
  return rooms.map((room) => ({
    kind: 'room',
    key: `room ${room.room}`,
    room: room.room,
    label: roomLabel(room),
    detail: room.kind === 'direct' ? room.others.join(', ') : room.topic,
    person: room.kind === 'direct' && room.others.length === 1 ? (room.others[0] ?? null) : null,
    locked: room.kind === 'private',
    several: room.kind === 'direct',
    unread: room.unread,
    own: true,
    archived: room.archived,
  }));
}

function elsewhere({ rooms, others }: Known): Candidate[] {
  const own = new Set(rooms.map((room) => room.room));
  return others
    .filter((room) => room.kind !== 'direct' && !own.has(room.room))
    .map((room) => ({ kind: 'room', key: `room ${room.room}`, room: room.room, label: room.room, detail: room.topic, person: null, locked: room.kind === 'private', several: false, unread: 0, own: false, archived: room.archived }));
}

function persons({ rooms, people, me }: Known): Candidate[] {
  const written = new Set(rooms.filter((room) => room.kind === 'direct' && room.others.length === 1).map((room) => room.others[0]));
  return people
    .filter((person) => !written.has(person.name) && person.name !== me)
    .map((person) => ({ kind: 'room', key: `person ${person.name}`, room: `@${person.name}`, label: person.displayName || person.name, detail: person.name, person: person.name, locked: false, several: false, unread: 0, own: false, archived: false }));
}
