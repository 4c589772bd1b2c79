// What is being typed after @ or :, and what takes its place.

export interface Typed {
  kind: 'person' | 'emoji';
  /** Without the @ or the colon. */
  query: string;
  /** Where it stands in the text, the sign included. */
  from: number;
  to: number;
}

const PERSON = /(?:^|[^\p{L}\p{N}_@./])@([\p{L}\p{N}\p{Mn}\p{Mc}._-]{0,32})$/u;
const EMOJI = /(?:^|[\s(>*_~"'「（，。、！？])[:：]([\p{L}\p{N}_+-]{2,30})$/u;

/** What is being completed before the caret; null: nothing. */
export function typedAt(text: string, caret: number): Typed | null {
  const before = text.slice(Math.max(0, caret - 60), caret);
  if (isInCode(text.slice(0, caret))) return null;
  const person = PERSON.exec(before);
  if (person) return found('person', person[1] ?? '', caret);
  const emoji = EMOJI.exec(before);
  return emoji ? found('emoji', emoji[1] ?? '', caret) : null;
}

function found(kind: Typed['kind'], query: string, caret: number): Typed {
  return { kind, query, from: caret - query.length - 1, to: caret };
}

/** Within a fence or a code span that is not closed: an @ there is an @. */
function isInCode(before: string): boolean {
  const fences = before.match(/^\s*```/gm)?.length ?? 0;
  if (fences % 2 === 1) return true;
  const line = before.slice(before.lastIndexOf('\n') + 1);
  return (line.match(/`/g)?.length ?? 0) % 2 === 1;
}

export interface Edited {
  text: string;
  caret: number;
}

/** `text` with `chosen` in the place of what was typed, a space after it, the caret behind that. */
export function complete(text: string, typed: Typed, chosen: string): Edited {
  const after = text.slice(typed.to);
  const space = after.startsWith(' ') ? '' : ' ';
  return { text: text.slice(0, typed.from) + chosen + space + after, caret: typed.from + chosen.length + 1 };
}

/** `text` with `piece` where the selection was. */
export function insert(text: string, from: number, to: number, piece: string): Edited {
  return { text: text.slice(0, from) + piece + text.slice(to), caret: from + piece.length };
}

export interface Candidate {
  name: string;
  displayName: string;
  present: boolean;
}

/** Who of `present` is meant by `query`, those first whose name begins so. */
export function matching(candidates: readonly Candidate[], query: string): Candidate[] {
  const wanted = query.normalize('NFKC').toLowerCase();
  const rank = (person: Candidate): number => {
    const name = person.name.normalize('NFKC').toLowerCase();
    const shown = person.displayName.normalize('NFKC').toLowerCase();
    if (name.startsWith(wanted) || shown.startsWith(wanted)) return 0;
    if (shown.split(/\s+/).some((word) => word.startsWith(wanted))) return 1;
    return name.includes(wanted) || shown.includes(wanted) ? 2 : 3;
  };
  return candidates
    .map((person) => ({ person, rank: rank(person) }))
    .filter(({ rank: at }) => at < 3)
    .sort((a, b) => Number(b.person.present) - Number(a.person.present) || a.rank - b.rank || a.person.name.localeCompare(b.person.name))
    .map(({ person }) => person);
}

/** The two lists as one, each person once; those present first. */
export function merged(present: readonly Candidate[], others: readonly Candidate[], most: number): Candidate[] {
  const seen = new Set(present.map(({ name }) => name));
  return [...present, ...others.filter(({ name }) => !seen.has(name))].slice(0, most);
}
