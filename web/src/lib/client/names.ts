// When two names are the same, and whom a text mentions: as the server sees it (src/hubbub/names.py).

const MENTION = /(?<![\p{L}\p{N}_@./])@([^\s@,/]+)/gu;
const NAME_AT_START = /^[\p{L}\p{N}\p{Mn}\p{Mc}._-]+/u;
const EVERYONE = 'here';

/** The form by which names are compared: nearly Python's NFKC, case folded, NFKC again. */
export function keyOf(name: string): string {
  return name.normalize('NFKC').toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKC');
}

/** Whether `text` mentions `name` as @name, or everybody as @here. */
export function mentions(text: string, name: string): boolean {
  if (!text.includes('@')) return false;
  const key = keyOf(name);
  for (const [, found] of text.matchAll(MENTION)) {
    const mentioned = keyOf(NAME_AT_START.exec(found ?? '')?.[0].replace(/[.-]+$/, '') ?? '');
    if (mentioned === key || mentioned === EVERYONE) return true;
  }
  return false;
}

/** The others in a direct room, which is called `@ada,bob` after everybody in it. */
export function othersOf(room: string, me: string): string[] {
  const own = keyOf(me);
  return room.startsWith('@') ? room.slice(1).split(',').filter((name) => keyOf(name) !== own) : [];
}
