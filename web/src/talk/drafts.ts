// What is written and not sent, a room at a time. Kept in this browser, for each user.

export interface Draft {
  text: string;
  replyTo: number | null;
}

const NONE: Draft = { text: '', replyTo: null };
const keyOf = (user: string, room: string): string => `hubbub.draft.${JSON.stringify([user, room])}`;

type Kept = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
type Listed = Kept & Pick<Storage, 'length' | 'key'>;
/** Rooms that are not in the list, of which it is asked whether they have another name now. */
const MOST_ASKED = 5;

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

/**
 * The draft of a room that was renamed while nobody looked: found under its old name, and moved to the new one. `known`: whether there is a room of a
 * name; `nameNow`: what a room of an old name is called, null if there is none. Asks about a name once.
 */
export async function draftOfOldName(
  storage: Listed,
  user: string,
  room: string,
  known: (name: string) => boolean,
  nameNow: (was: string) => Promise<string | null>,
): Promise<Draft> {
  for (const was of roomsOf(storage, user).filter((name) => name !== room && !known(name) && !asked.has(name)).slice(0, MOST_ASKED)) {
    asked.add(was);
    const now = await nameNow(was);
    if (now !== null) moveDraft(storage, user, was, now);
  }
  return loadDraft(storage, user, room);
}

/** To the room's name of now. What was begun under that is not replaced. */
function moveDraft(storage: Kept, user: string, was: string, now: string): void {
  const draft = loadDraft(storage, user, was);
  if (draft === NONE || was === now) return;
  if (loadDraft(storage, user, now) === NONE) saveDraft(storage, user, now, draft);
  saveDraft(storage, user, was, NONE);
}

const asked = new Set<string>();

function roomsOf(storage: Listed, user: string): string[] {
  const rooms: string[] = [];
  for (let index = 0; index < storage.length; index += 1) {
    const key = storage.key(index) ?? '';
    if (!key.startsWith('hubbub.draft.')) continue;
    const [of, room] = JSON.parse(key.slice('hubbub.draft.'.length)) as [string, string];
    if (of === user) rooms.push(room);
  }
  return rooms;
}
