// All emoji with their names: loaded when somebody looks for one. In English, and in Chinese where that is read.
import { fromHexcode } from './shortcodes.svelte';

export interface Emoji {
  emoji: string;
  /** As the page's language calls it. */
  label: string;
  /** Everything by which it is found, in lower case. */
  words: readonly string[];
  /** Its shortcodes, the usual one first. */
  codes: readonly string[];
  /** Emojibase's number of its kind; 2 and those without one are left out. */
  group: number;
}

interface Entry {
  hexcode: string;
  label: string;
  tags?: readonly string[];
  group?: number;
  order?: number;
}

const loading = new Map<string, Promise<Emoji[]>>();

/** In the order of Unicode. `language` as the page's. */
export function loadEmoji(language: string): Promise<Emoji[]> {
  const withChinese = language.startsWith('zh');
  const key = withChinese ? 'zh' : 'en';
  let list = loading.get(key);
  if (!list) {
    list = read(withChinese).catch((error: unknown) => {
      loading.delete(key); // perhaps offline: the next one tries again
      throw error;
    });
    loading.set(key, list);
  }
  return list;
}

async function read(withChinese: boolean): Promise<Emoji[]> {
  const [english, github, slack, chinese] = await Promise.all([
    import('emojibase-data/en/compact.json'),
    import('emojibase-data/en/shortcodes/github.json'),
    import('emojibase-data/en/shortcodes/iamcal.json'),
    withChinese ? import('emojibase-data/zh-hant/compact.json') : null,
  ]);
  const names = chinese ? new Map((chinese.default as Entry[]).map((entry) => [entry.hexcode, entry])) : new Map<string, Entry>();
  return (english.default as Entry[])
    .filter((entry) => entry.group !== undefined && entry.group !== 2)
    .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
    .map((entry) => joined(entry, names.get(entry.hexcode), [...codesIn(github.default, entry.hexcode), ...codesIn(slack.default, entry.hexcode)]));
}

function joined(entry: Entry, other: Entry | undefined, codes: readonly string[]): Emoji {
  const words = [entry.label, ...(entry.tags ?? []), ...codes, ...(other ? [other.label, ...(other.tags ?? [])] : [])];
  return {
    // One form only: a reaction from here has to be the same as one typed elsewhere.
    emoji: fromHexcode(entry.hexcode),
    label: other?.label ?? entry.label,
    words: words.map((word) => word.toLowerCase()),
    codes: [...new Set(codes)],
    group: entry.group ?? 0,
  };
}

function codesIn(list: Record<string, string | string[]>, hexcode: string): readonly string[] {
  const codes = list[hexcode];
  return codes === undefined ? [] : typeof codes === 'string' ? [codes] : codes;
}

/** Those that are called so, the best first: a shortcode or name that begins so, then one with it inside. */
export function findEmoji(all: readonly Emoji[], query: string, most: number): Emoji[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return all.slice(0, most);
  const ranked: { found: Emoji; rank: number }[] = [];
  for (const found of all) {
    const rank = rankOf(found, wanted);
    if (rank < 4) ranked.push({ found, rank });
  }
  return ranked.sort((a, b) => a.rank - b.rank).slice(0, most).map(({ found }) => found);
}

function rankOf(emoji: Emoji, wanted: string): number {
  if (emoji.codes.includes(wanted) || emoji.label.toLowerCase() === wanted) return 0;
  if (emoji.codes.some((code) => code.startsWith(wanted))) return 1;
  if (emoji.words.some((word) => word.startsWith(wanted))) return 2;
  return emoji.words.some((word) => word.includes(wanted)) ? 3 : 4;
}
