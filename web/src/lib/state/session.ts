// Whether somebody was logged in here when the page was open last: then it may show itself before the server answers.
import { shelf } from './storage';

const KEPT = 'hubbub.logged-in';

export const hasLoggedIn = (): boolean => shelf.get(KEPT) !== null;

export function noteLoggedIn(yes: boolean): void {
  if (yes) shelf.set(KEPT, '1');
  else shelf.remove(KEPT);
}
