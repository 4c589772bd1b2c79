// What is written and not sent, a room at a time. Kept in this browser, for each user.

export interface Draft {
  text: string;
  replyTo: number | null;
}

const NONE: Draft = { text: '', replyTo: null };
const keyOf = (user: string, room: string): string => `hubbub.draft.${JSON.stringify([user, room])}`;

type Kept = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

export function loadDraft(storage: Kept, user: string, room: string): Draft {
  try {
    const kept = JSON.parse(storage.getItem(keyOf(user, room)) ?? 'null') as Partial<Draft> | null;
    if (typeof kept?.text !== 'string') return NONE;
    return { text: kept.text, replyTo: typeof kept.replyTo === 'number' ? kept.replyTo : null };
  } catch {
    return NONE;
  }
}

export function saveDraft(storage: Kept, user: string, room: string, draft: Draft): void {
  try {
    if (draft.text.trim() === '' && draft.replyTo === null) storage.removeItem(keyOf(user, room));
    else storage.setItem(keyOf(user, room), JSON.stringify(draft));
  } catch {
    // No place left, or storage is forbidden: the text stays in the box, and only that.
  }
}
