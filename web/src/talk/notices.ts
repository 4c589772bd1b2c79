// What a notice says.
import type { Notice } from '../lib/client';
import { t } from '../lib/i18n';
import { nameOf } from './words';

export function noticeWords({ what, room }: Notice): string {
  if (what.type !== 'changed') {
    const user = nameOf(what.user);
    const by = what.by !== null && what.by !== what.user ? nameOf(what.by) : null;
    if (what.type === 'joined') return by === null ? t('talk.joined', { user }) : t('talk.joined_by', { by, user });
    return by === null ? t('talk.left', { user }) : t('talk.left_by', { by, user });
  }
  const by = what.by === null ? t('talk.somebody') : nameOf(what.by);
  if (what.was !== null && what.was !== room) return t('talk.room_named', { by, was: what.was });
  if (what.archived !== null) return what.archived ? t('talk.archived', { by }) : t('talk.unarchived', { by });
  if (what.roomKind !== null) return what.roomKind === 'private' ? t('talk.made_private', { by }) : t('talk.made_public', { by });
  if (what.member !== null) {
    const user = nameOf(what.member);
    return what.role === 'owner' ? t('talk.made_owner', { by, user }) : t('talk.made_member', { by, user });
  }
  if (what.topic !== null) return what.topic === '' ? t('talk.topic_cleared', { by }) : t('talk.topic_set', { by, topic: what.topic });
  return t('talk.room_changed', { by });
}
