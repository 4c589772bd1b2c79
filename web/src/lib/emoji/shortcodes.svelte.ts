// Emoji by name, as in `:tada:`. The list of names is loaded when the first message has one.

const state = $state({ loaded: false });
const byCode = new Map<string, string>();
let loading: Promise<void> | null = null;

/** Whether names are known yet. A rune: what reads it is made anew when they are. */
export const codesLoaded = (): boolean => state.loaded;

/** The emoji of a name, without its colons; null: there is none. */
export const shortcode = (code: string): string | null => byCode.get(code) ?? null;

/** Loads the names, once. */
export function loadCodes(): Promise<void> {
  loading ??= fill().catch((error: unknown) => {
    loading = null; // perhaps offline: the next one tries again
    throw error;
  });
  return loading;
}

async function fill(): Promise<void> {
  const [github, slack] = await Promise.all([
    import('emojibase-data/en/shortcodes/github.json'),
    import('emojibase-data/en/shortcodes/iamcal.json'),
  ]);
  for (const list of [slack.default, github.default]) addAll(list);
  state.loaded = true;
}

function addAll(list: Record<string, string | string[]>): void {
  for (const [hexcode, codes] of Object.entries(list)) {
    for (const code of typeof codes === 'string' ? [codes] : codes) byCode.set(code, fromHexcode(hexcode));
  }
}

/** The characters of `1F44D` or `0023-FE0F-20E3`, in colour. */
export function fromHexcode(hexcode: string): string {
  const text = String.fromCodePoint(...hexcode.split('-').map((part) => Number.parseInt(part, 16)));
  const asText = !hexcode.includes('-') && !/^\p{Emoji_Presentation}/u.test(text);
  return asText ? `${text}\uFE0F` : text;
}
