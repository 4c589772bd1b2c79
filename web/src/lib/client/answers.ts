// Answers to HTTP requests as they are on the wire, and as a page gets them.

import type { FoundPerson, Invitation, LinkPurpose, Member, MemberRole, NewAccount, Person, SearchResult, Session, User, UserRole } from './api';
import { messageFrom } from './decode';
import type { Me } from './model';
import type * as wire from './wire';

export type WireMe = { name: string; display_name: string; role: UserRole };
export type WirePerson = { name: string; display_name: string };
export type WireFoundPerson = WirePerson & { role?: UserRole; disabled?: boolean };
export type WirePeople = { people: WireFoundPerson[]; more: boolean };
export type WireMember = WirePerson & { role: MemberRole };
export type WireUser = WirePerson & { role: UserRole; disabled: boolean; created: string };
export type WireLink = { purpose: LinkPurpose; role: UserRole; name: string | null; password_characters: number };
export type WireSession = { id: number; current: boolean; created: string; seen: string; expires: string; address: string; agent: string };
export type WireInvitation = { id: number; role: UserRole; uses_left: number; created: string; created_by: string | null; expires: string };
export type WireHistory = { room: string; head: number; more: boolean; messages: wire.Message[] };
export type WireFound = { message: wire.Message; snippet: string; matches: [number, number][] };
export type WireSearch = { results: WireFound[]; more: boolean; next?: number | null };

export function accountBody(account: NewAccount) {
  const { token, username, password, displayName } = account;
  return { token, username, password, ...(displayName === undefined ? {} : { display_name: displayName }) };
}

export function meFrom(me: WireMe): Me {
  return { name: me.name, displayName: me.display_name, role: me.role };
}

export function personFrom(person: WirePerson): Person {
  return { name: person.name, displayName: person.display_name };
}

export function foundPersonFrom(person: WireFoundPerson): FoundPerson {
  return { ...personFrom(person), role: person.role ?? 'member', disabled: person.disabled ?? false };
}

export function memberFrom(member: WireMember): Member {
  return { ...personFrom(member), role: member.role };
}

export function userFrom(user: WireUser): User {
  return { ...personFrom(user), role: user.role, disabled: user.disabled, created: Date.parse(user.created) };
}

export function sessionFrom(session: WireSession): Session {
  const { created, seen, expires } = session;
  return { ...session, created: Date.parse(created), seen: Date.parse(seen), expires: Date.parse(expires) };
}

export function invitationFrom(invitation: WireInvitation): Invitation {
  return {
    id: invitation.id,
    role: invitation.role,
    usesLeft: invitation.uses_left,
    created: Date.parse(invitation.created),
    createdBy: invitation.created_by,
    expires: Date.parse(invitation.expires),
  };
}

export function foundFrom(found: WireFound): SearchResult {
  return { ...messageFrom(found.message), snippet: found.snippet, matches: found.matches };
}
