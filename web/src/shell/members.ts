// Who is in a room and who else belongs to it, in order.
import type { Item, Member, MemberRole } from '../lib/client';

/** Beyond so many, a list is no help any more. */
const MOST = 300;

export interface ListedMember {
  name: string;
  role: MemberRole | null;
}

/** Those present, then those who belong and are elsewhere; `hidden`: how many of these are not listed. */
export function groupMembers(members: readonly Member[], present: readonly string[]): { here: ListedMember[]; away: ListedMember[]; hidden: number } {
  const roles = new Map(members.map((member) => [member.name, member.role]));
  const here = new Set(present);
  const listed = (names: Iterable<string>) =>
    [...names].map((name) => ({ name, role: roles.get(name) ?? null })).sort((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name));
  const away = listed([...roles.keys()].filter((name) => !here.has(name)));
  return { here: listed(here).slice(0, MOST), away: away.slice(0, MOST), hidden: Math.max(0, away.length - MOST) };
}

/** The number of the last entry that changed who belongs here, or as what; 0: none known. */
export function lastMembership(items: readonly Item[]): number {
  for (let at = items.length - 1; at >= 0; at -= 1) {
    const item = items[at];
    if (item?.kind === 'notice' && (item.what.type !== 'changed' || item.what.member !== null)) return item.seq;
  }
  return 0;
}

const rank = (member: ListedMember): number => (member.role === 'owner' ? 0 : 1);
