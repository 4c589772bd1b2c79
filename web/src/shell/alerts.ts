// Desktop notifications and a sound for what is meant for the user, unless they look already or want quiet.
import type { Alert, RoomSummary } from '../lib/client';
import { t } from '../lib/i18n';
import { roomPath } from '../lib/router';
import { client } from '../lib/state/client';
import { roomLabel, shownName } from '../lib/state/names';
import { isQuiet } from '../lib/state/quiet';
import { router } from '../lib/state/router';
import { settings } from '../lib/state/settings.svelte';
import { playSound } from './sound';

const LONGEST = 200;
/** Of many at once, one is heard. */
const SOUND_PAUSE = 2000;
let sounded = 0;
/** What is on the desktop, by room: the last message told, and what takes it away. */
const shown = new Map<string, { seq: number; close: () => void }>();

export function announce(alert: Alert): void {
  const { room, message } = alert;
  const route = router.get();
  const looking = document.visibilityState === 'visible' && document.hasFocus();
  if (isQuiet(settings.quiet, new Date())) return;
  void inOneTab(`hubbub.alert.${room.room}.${message.seq}`, async () => {
    // Who looks at the room here needs to be told by no other tab either.
    if (looking && route.page === 'room' && route.room === room.room) return;
    sound();
    // Looking at another room: the sound and the list say enough.
    if (settings.notify && !looking && 'Notification' in window && Notification.permission === 'granted') await notify(alert);
  });
}

/** Takes from the desktop what has been read meanwhile, here or elsewhere. */
export function lookedAt(rooms: readonly RoomSummary[]): void {
  for (const [name, { seq, close }] of shown) {
    const room = rooms.find((one) => one.room === name);
    if (room && room.read < seq) continue;
    shown.delete(name);
    close();
  }
}

/** Runs it in the first of several tabs that asks. Without TLS, browsers have no locks (and no notifications): in each. */
async function inOneTab(name: string, run: () => Promise<void>): Promise<void> {
  if (!('locks' in navigator)) return run();
  await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    await run();
    // Held a while, so that a tab that hears of it later does not tell it again.
    await new Promise((done) => setTimeout(done, 2000));
  });
}

function sound(): void {
  const now = Date.now();
  if (!settings.sound || now - sounded < SOUND_PAUSE) return;
  sounded = now;
  void playSound();
}

async function notify({ room, message, why }: Alert): Promise<void> {
  const name = shownName(message.from);
  const title = why === 'direct' && room.others.length < 2 ? t('shell.alert_direct', { name }) : t('shell.alert_mention', { name, room: roomLabel(room) });
  const path = roomPath(room.room, message.seq);
  const tag = `hubbub ${room.room}`;
  const options = { body: message.text.slice(0, LONGEST), tag, icon: '/icon-192.png', silent: true, data: { path } };
  // Phones allow notifications by the service worker only; it then opens the room by itself.
  const worker = await navigator.serviceWorker?.getRegistration();
  if (worker?.active) {
    await worker.showNotification(title, options);
    const close = async () => {
      for (const one of await worker.getNotifications({ tag })) one.close();
    };
    shown.set(room.room, { seq: message.seq, close: () => void close() });
    lookedAt(client.rooms.get()); // it may have been read while the browser took its time
    return;
  }
  const notification = new Notification(title, options);
  shown.set(room.room, { seq: message.seq, close: () => notification.close() });
  notification.onclick = () => {
    window.focus();
    router.go(path);
    notification.close();
  };
}
