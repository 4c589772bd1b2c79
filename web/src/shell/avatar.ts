// An avatar drawn from a name: a colour that is always the same, and a letter or two.

const COLOURS = 12;

/** Which of the colours of `Avatar.svelte`: the same for a name however it is written, on every machine. */
export function colourOf(name: string): number {
  let hash = 2166136261; // FNV-1a
  for (const character of name.normalize('NFKC').toLowerCase()) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619);
  }
  return (hash >>> 0) % COLOURS;
}

/** The first letters of the first two words; of a word in Chinese, Japanese or Korean its last sign alone. */
export function lettersOf(shown: string): string {
  const words = shown.normalize('NFC').split(/[\s._-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = words[0];
  if (first === undefined) return '?';
  if (/\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u.test(first)) return letter([...first].at(-1) ?? first);
  const second = words.length > 1 ? words.at(-1) : undefined;
  return letter(first) + (second === undefined ? '' : letter(second));
}

function letter(word: string): string {
  return (/[\p{L}\p{N}]/u.exec(word)?.[0] ?? '').toUpperCase().slice(0, 2);
}
