// One function for each HTTP request of docs/protocol.md, "Over HTTP". All throw `HubbubError`.

import {
  accountBody,
  foundFrom,
  foundPersonFrom,
  invitationFrom,
  meFrom,
  memberFrom,
  sessionFrom,
  userFrom,
  type WireHistory,
  type WireInvitation,
  type WireLink,
  type WireMe,
  type WireMember,
  type WirePeople,
  type WireSearch,
  type WireSession,
  type WireUser,
} from './answers';
import { addressOf, createRequest, type RequestOptions } from './http';
import { messageFrom } from './decode';
import type { Me, Message, RoomKind } from './model';

export type UserRole = Me['role'];
export type MemberRole = 'owner' | 'member';
export type LinkPurpose = 'setup' | 'join' | 'reset';

/** A single-use key for one WebSocket. */
export interface Ticket {
  otp: string;
}

/** What a link is for. `name`: of a reset, whose password. `passwordCharacters`: the fewest that a password may have. */
export interface Link {
  purpose: LinkPurpose;
  role: UserRole;
  name: string | null;
  passwordCharacters: number;
}

/** A login somewhere. Times are ms since 1970. */
export interface Session {
  id: number;
  current: boolean;
  created: number;
  seen: number;
  expires: number;
  address: string;
  agent: string;
}

export interface Person {
  name: string;
  displayName: string;
}

/** Somebody as `people` finds them. */
export interface FoundPerson extends Person {
  role: UserRole;
  /** Has no way in any more; said by `peopleNamed` only. */
  disabled: boolean;
}

export interface Member extends Person {
  role: MemberRole;
}

/** A room as one sees it: `role` is null for one who is no member. `members`: how many it has. */
export interface Room {
  room: string;
  kind: RoomKind;
  topic: string;
  archived: boolean;
  members: number;
  member: boolean;
  role: MemberRole | null;
}

/** An account, as administrators see it. */
export interface User extends Person {
  role: UserRole;
  disabled: boolean;
  created: number;
}

export interface Invitation {
  id: number;
  role: UserRole;
  usesLeft: number;
  created: number;
  createdBy: string | null;
  expires: number;
}

/** A page of history, oldest first. `more`: there are more in the direction asked for. */
export interface HistoryPage {
  room: string;
  head: number;
  more: boolean;
  messages: Message[];
}

/** Where in a room: at most one of the three; none: the last messages. */
export interface HistoryPlace {
  before?: number;
  after?: number;
  around?: number;
  limit?: number;
}

/** A message that was found. `matches`: from and to (not included) in `snippet`, in UTF-16 units. */
export interface SearchResult extends Message {
  snippet: string;
  matches: [start: number, end: number][];
}

/** `more` may be true where there are few results, or none: then the same question with `next` goes on. */
export interface SearchPage {
  results: SearchResult[];
  more: boolean;
  next: number | null;
}

/** `zone`: minutes east of UTC, for what a day is. Days are `2026-03-01`, times RFC 3339. */
export interface SearchOptions {
  from?: string;
  in?: string;
  after?: string;
  before?: string;
  zone?: number;
  limit?: number;
  next?: number;
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Preferences = { [key: string]: Json };

/** Every request. Pass a signal to give one up: it then throws `HubbubError` with the code `aborted`. */
export type Api = ReturnType<typeof createApi>;

/** The requests against the server at `base` (the page's own by default). */
export function createApi(options: RequestOptions = {}) {
  const request = createRequest(options);
  const get = <T>(path: string, signal?: AbortSignal) => request<T>('GET', path, undefined, signal);
  const room = (name: string) => `/api/rooms/${encodeURIComponent(name)}`;

  return {
    // --- getting in and out

    login: (username: string, password: string) => request<Ticket>('POST', '/login', { username, password }),
    ticket: (signal?: AbortSignal) => request<Ticket>('POST', '/ticket', undefined, signal),
    logout: () => request<void>('POST', '/logout'),
    /** The first account, an owner's, by the set-up link. */
    setup: (account: NewAccount) => request<Ticket>('POST', '/setup', accountBody(account)),
    /** An account, by an invitation. */
    acceptInvitation: (account: NewAccount) => request<Ticket>('POST', '/invite', accountBody(account)),
    /** A new password, by a link. */
    resetPassword: (token: string, password: string) => request<Ticket>('POST', '/reset', { token, password }),
    /** What a link is for; throws `link_expired` (410) if it can't be used. */
    checkLink: async (token: string, purpose: LinkPurpose): Promise<Link> => {
      const link = await request<WireLink>('POST', '/api/links/check', { token, purpose });
      return { purpose: link.purpose, role: link.role, name: link.name, passwordCharacters: link.password_characters };
    },

    // --- oneself

    me: async (signal?: AbortSignal): Promise<Me> => meFrom(await get<WireMe>('/api/me', signal)),
    setDisplayName: async (displayName: string): Promise<Me> =>
      meFrom(await request<WireMe>('PATCH', '/api/me', { display_name: displayName })),
    /** Ends all other sessions. */
    setPassword: async (password: string, current: string): Promise<Me> =>
      meFrom(await request<WireMe>('PATCH', '/api/me', { password, current_password: current })),
    sessions: async (): Promise<Session[]> => (await get<{ sessions: WireSession[] }>('/api/sessions')).sessions.map(sessionFrom),
    endSession: (id: number) => request<void>('DELETE', `/api/sessions/${id}`),
    /** Ends all sessions, or all but this one; says how many. */
    endSessions: async (which: 'all' | 'others'): Promise<number> =>
      (await request<{ ended: number }>('DELETE', addressOf('/api/sessions', { others: which === 'others' ? true : undefined }))).ended,
    preferences: () => get<Preferences>('/api/preferences'),
    setPreferences: (preferences: Preferences) => request<Preferences>('PUT', '/api/preferences', preferences),

    // --- people

    /** Whose name or display name begins so. */
    people: async (query = '', limit?: number, signal?: AbortSignal): Promise<{ people: FoundPerson[]; more: boolean }> => {
      const found = await get<WirePeople>(addressOf('/api/people', { q: query, limit }), signal);
      return { people: found.people.map(foundPersonFrom), more: found.more };
    },
    /** These people, 200 at most; names that nobody has are left out. */
    peopleNamed: async (names: readonly string[], signal?: AbortSignal): Promise<FoundPerson[]> =>
      (await get<WirePeople>(addressOf('/api/people', { names: names.join(',') }), signal)).people.map(foundPersonFrom),

    // --- rooms

    /** Every room that one may see. */
    rooms: async (signal?: AbortSignal): Promise<Room[]> => (await get<{ rooms: Room[] }>('/api/rooms', signal)).rooms,
    createRoom: (name: string, kind: 'public' | 'private' = 'public', topic = '') =>
      request<Room>('POST', '/api/rooms', { name, kind, topic }),
    /** The direct room with these people, made on first use. */
    directRoom: (users: readonly string[]) => request<Room>('POST', '/api/direct', { users }),
    room: (name: string, signal?: AbortSignal) => get<Room>(room(name), signal),
    changeRoom: (name: string, change: RoomChange) => request<Room>('PATCH', room(name), change),
    joinRoom: (name: string) => request<Room>('POST', `${room(name)}/join`),
    leaveRoom: (name: string) => request<void>('POST', `${room(name)}/leave`),
    members: async (name: string, signal?: AbortSignal): Promise<Member[]> =>
      (await get<{ members: WireMember[] }>(`${room(name)}/members`, signal)).members.map(memberFrom),
    inviteMember: (name: string, user: string) => request<void>('POST', `${room(name)}/members`, { user }),
    setMemberRole: (name: string, user: string, role: MemberRole) =>
      request<void>('PATCH', `${room(name)}/members/${encodeURIComponent(user)}`, { role }),
    removeMember: (name: string, user: string) =>
      request<void>('DELETE', `${room(name)}/members/${encodeURIComponent(user)}`),
    history: async (name: string, place: HistoryPlace = {}, signal?: AbortSignal): Promise<HistoryPage> => {
      const page = await get<WireHistory>(addressOf(`${room(name)}/messages`, { ...place }), signal);
      return { ...page, messages: page.messages.map(messageFrom) };
    },

    // --- search

    search: async (query: string, options: SearchOptions = {}, signal?: AbortSignal): Promise<SearchPage> => {
      const page = await get<WireSearch>(addressOf('/api/search', { q: query, ...options }), signal);
      return { more: page.more, next: page.next ?? null, results: page.results.map(foundFrom) };
    },

    // --- for administrators

    users: async (query = '', after = '', limit?: number): Promise<{ users: User[]; more: boolean }> => {
      const found = await get<{ users: WireUser[]; more: boolean }>(addressOf('/api/users', { q: query, after, limit }));
      return { users: found.users.map(userFrom), more: found.more };
    },
    changeUser: async (name: string, change: { role?: UserRole; disabled?: boolean }): Promise<User> =>
      userFrom(await request<WireUser>('PATCH', `/api/users/${encodeURIComponent(name)}`, change)),
    /** A link by which they set a new password, once; shown only now. */
    passwordLink: async (name: string): Promise<{ link: string; expires: number }> => {
      const made = await request<{ link: string; expires: string }>('POST', `/api/users/${encodeURIComponent(name)}/reset-password`);
      return { link: made.link, expires: Date.parse(made.expires) };
    },
    invitations: async (): Promise<Invitation[]> =>
      (await get<{ invitations: WireInvitation[] }>('/api/invitations')).invitations.map(invitationFrom),
    /** The link is shown only now. */
    createInvitation: async (wanted: { uses?: number; hours?: number; role?: UserRole } = {}): Promise<Invitation & { link: string }> => {
      const made = await request<WireInvitation & { link: string }>('POST', '/api/invitations', wanted);
      return { ...invitationFrom(made), link: made.link };
    },
    withdrawInvitation: (id: number) => request<void>('DELETE', `/api/invitations/${id}`),
    /** The server's figures, as docs/protocol.md names them. */
    server: (signal?: AbortSignal) => get<{ [key: string]: Json }>('/api/server', signal),
  };
}

export interface NewAccount {
  /** The secret of the link. */
  token: string;
  username: string;
  password: string;
  displayName?: string;
}

export interface RoomChange {
  name?: string;
  topic?: string;
  archived?: boolean;
  kind?: 'public' | 'private';
}

/** The requests against the server that the page came from. */
export const api: Api = createApi();
