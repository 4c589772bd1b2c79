// Logging out of this browser.
import { api } from '../client';
import { forgetRoom } from './last-room';
import { noteLoggedIn } from './session';
import { leaveSettings } from './settings.svelte';

/** Ends the session and loads the page anew, so that nothing of it stays in memory. Throws if it can't be ended now. */
export async function logOut(): Promise<void> {
  await api.logout();
  noteLoggedIn(false);
  forgetRoom();
  leaveSettings();
  location.assign('/login');
}
