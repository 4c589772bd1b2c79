// Finding a room or a person by part of a name, however it is written.

/** Without case, width and accents. */
export function plain(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** Whether every word of `query` is somewhere in `text`. */
export function matches(query: string, text: string): boolean {
  const hay = plain(text);
  return plain(query).split(/\s+/).every((word) => hay.includes(word));
}

/** How well `text` answers `query`: 0 not at all, more is better: the same, its beginning, a word's beginning, a part. */
export function score(query: string, text: string): number {
  const needle = plain(query.trim());
  const hay = plain(text);
  if (needle === '') return 1;
  if (hay === needle) return 5;
  if (hay.startsWith(needle)) return 4;
  const at = hay.indexOf(needle);
  if (at > 0 && /[\s._-]/.test(hay[at - 1] ?? '')) return 3;
  if (at >= 0) return 2;
  return inOrder(needle, hay) ? 1 : 0;
}

/** Whether the letters come in this order, with others between: `gnl` finds `general`. */
function inOrder(needle: string, hay: string): boolean {
  let from = 0;
  for (const letter of needle) {
    from = hay.indexOf(letter, from) + 1;
    if (from === 0) return false;
  }
  return true;
}
