// Who may do what to whom: as the server has it, so that nothing is offered that it would refuse.
import type { UserRole } from '../../lib/client';

const ORDER: readonly UserRole[] = ['bot', 'member', 'admin', 'owner'];

/** Whether one of role `mine` may act on somebody of role `theirs`: administrators may, up to their own role. */
export function mayManage(mine: UserRole, theirs: UserRole): boolean {
  return (mine === 'admin' || mine === 'owner') && ORDER.indexOf(theirs) <= ORDER.indexOf(mine);
}

/** The roles that one of role `mine` may give, the lowest last. */
export const rolesFor = (mine: UserRole): UserRole[] => ORDER.filter((role) => mayManage(mine, role)).reverse();
