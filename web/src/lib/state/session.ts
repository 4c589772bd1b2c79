// Whether somebody was logged in here when the page was open last: then it may show itself before the server answers.

const KEPT = 'hubbub.logged-in';

export const hasLoggedIn = (): boolean => localStorage.getItem(KEPT) !== null;

export function noteLoggedIn(yes: boolean): void {
  if (yes) localStorage.setItem(KEPT, '1');
  else localStorage.removeItem(KEPT);
}
