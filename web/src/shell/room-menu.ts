// What can be done with a room, by whom.
import { api, type RoomSummary, type RoomView } from '../lib/client';
import { t } from '../lib/i18n';
import { roomPath } from '../lib/router';
import { client } from '../lib/state/client';
import { copy } from '../lib/state/clipboard';
import { forgetRoom } from '../lib/state/last-room';
import { router } from '../lib/state/router';
import { isPhone } from '../lib/state/screen.svelte';
import { openDialog } from './dialogs.svelte';
import type { MenuItem } from './Menu.svelte';
import { say } from './toast.svelte';

export function roomMenu(view: RoomView, room: RoomSummary, isAdmin: boolean): MenuItem[] {
  const link: MenuItem = {
    label: t('shell.copy_link'),
    icon: 'link',
    run: () => void copy(location.origin + roomPath(room.room)).then((done) => say(done ? t('shell.link_copied') : t('common.error_unknown'), !done)),
  };
  if (room.kind === 'direct') return [link];
  const runs = isAdmin || room.role === 'owner';
  const change: MenuItem[] = room.archived
    ? []
    : [
        { label: t('shell.change_topic'), icon: 'pen', run: () => openDialog({ kind: 'topic', view }) },
        { label: t('shell.rename'), icon: 'pen', run: () => openDialog({ kind: 'rename', view }) },
      ];
  const invite: MenuItem[] = room.archived ? [] : [{ label: t('shell.invite'), icon: 'plus', run: () => openDialog({ kind: 'invite', view }) }];
  return [link, ...invite, ...(runs ? [...change, kind(room), archive(room)] : []), leave(room)];
}

function kind(room: RoomSummary): MenuItem {
  const toPrivate = room.kind === 'public';
  const name = room.room;
  return {
    label: toPrivate ? t('shell.make_private') : t('shell.make_public'),
    icon: toPrivate ? 'lock' : 'hash',
    run: () =>
      openDialog({
        kind: 'confirm',
        title: toPrivate ? t('shell.make_private_sure', { room: name }) : t('shell.make_public_sure', { room: name }),
        words: toPrivate ? t('shell.make_private_words') : t('shell.make_public_words'),
        button: toPrivate ? t('shell.make_private') : t('shell.make_public'),
        danger: !toPrivate,
        run: () => api.changeRoom(name, { kind: toPrivate ? 'private' : 'public' }),
      }),
  };
}

function archive(room: RoomSummary): MenuItem {
  const name = room.room;
  if (room.archived) return { label: t('shell.unarchive'), icon: 'box', run: () => void api.changeRoom(name, { archived: false }).catch(() => say(t('common.error_unknown'), true)) };
  return {
    label: t('shell.archive'),
    icon: 'box',
    run: () =>
      openDialog({
        kind: 'confirm',
        title: t('shell.archive_sure', { room: name }),
        words: t('shell.archive_words'),
        button: t('shell.archive'),
        danger: true,
        run: () => api.changeRoom(name, { archived: true }),
      }),
  };
}

function leave(room: RoomSummary): MenuItem {
  const name = room.room;
  return {
    label: t('shell.leave'),
    icon: 'out',
    danger: true,
    run: () =>
      openDialog({
        kind: 'confirm',
        title: t('shell.leave_sure', { room: name }),
        words: room.kind === 'private' ? t('shell.leave_words_private') : t('shell.leave_words'),
        button: t('shell.leave'),
        danger: true,
        run: async () => {
          // First away from it: the page would enter, and so join, a public room again.
          forgetRoom();
          const next = client.rooms.get().find((one) => one.room !== name && one.kind !== 'direct' && !one.archived);
          router.go(next && !isPhone() ? { page: 'room', room: next.room, seq: null } : { page: 'home' });
          await api.leaveRoom(name);
        },
      }),
  };
}
