// What is in the search field, and the filters beside it: one text, as the server reads it.

export interface Question {
  words: string;
  from: string;
  in: string;
  /** `2026-03-01`. */
  after: string;
  before: string;
}

const FILTERS = ['from', 'in', 'after', 'before'] as const;
// As the server reads it: a run of words in quotes is left alone, whatever is in it.
const PART = /(from|in|before|after):(?:"([^"]*)"?|(\S+))|"[^"]*"?|\S+/gi;

/** Takes the filters out of a text. Of two of a kind, the first counts; others stay among the words. */
export function read(text: string): Question {
  const question: Question = { words: '', from: '', in: '', after: '', before: '' };
  const words: string[] = [];
  for (const match of text.matchAll(PART)) {
    const key = match[1]?.toLowerCase() as (typeof FILTERS)[number] | undefined;
    const value = match[2] ?? match[3] ?? '';
    const fits = key === 'after' || key === 'before' ? /^\d{4}-\d\d-\d\d$/.test(value) : true;
    if (key && value && fits && question[key] === '') question[key] = key === 'from' ? value.replace(/^@/, '') : value;
    else words.push(match[0]);
  }
  return { ...question, words: words.join(' ') };
}

/** The text of a question: the reverse of `read`. */
export function write(question: Question): string {
  const filters = FILTERS.filter((key) => question[key].trim() !== '').map((key) => {
    const value = question[key].trim().replaceAll('"', '');
    return `${key}:${/[\s,]/.test(value) ? `"${value}"` : value}`;
  });
  return [question.words.trim(), ...filters].filter(Boolean).join(' ');
}

/** A snippet cut at what was found. `matches`: from and to (not included), in UTF-16 units; may touch, never overlap. */
export function cut(snippet: string, matches: readonly (readonly [number, number])[]): { text: string; found: boolean }[] {
  const pieces: { text: string; found: boolean }[] = [];
  let at = 0;
  for (const [start, end] of matches) {
    if (start > at) pieces.push({ text: snippet.slice(at, start), found: false });
    if (end > Math.max(start, at)) pieces.push({ text: snippet.slice(Math.max(start, at), end), found: true });
    at = Math.max(at, end);
  }
  if (at < snippet.length) pieces.push({ text: snippet.slice(at), found: false });
  return pieces;
}
