// What chat has and Markdown has not: mentions of people and emoji by name, found in the text of finished elements.

// As the server finds them, so that what is highlighted is what was counted (names.py).
const MENTION = /(?<![\p{L}\p{N}_@./])@([\p{L}\p{N}][\p{L}\p{N}\p{Mn}\p{Mc}._-]*)/gu;
const SHORTCODE = /:([a-z0-9_+-]{2,40}):/g;
const EITHER = new RegExp(`${MENTION.source}|${SHORTCODE.source}`, 'gu');
export const EVERYBODY = 'here';

export interface InlineOptions {
  /** One's own name, as in the log. */
  me: string;
  /** The emoji of a name; null: none, or not known yet. */
  emoji: (code: string) => string | null;
}

export interface InlineFound {
  /** Somebody's text calls the reader. */
  mentionsMe: boolean;
  /** It may have emoji by name. */
  hasCodes: boolean;
}

/** The form in which names are compared. */
export const keyOf = (name: string): string => name.normalize('NFKC').toLowerCase();

/** Marks mentions and puts emoji in, outside of code and links. */
export function decorate(root: ParentNode & Node, options: InlineOptions): InlineFound {
  const found: InlineFound = { mentionsMe: false, hasCodes: false };
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node as Text;
    if (/[@:]/.test(text.data) && !text.parentElement?.closest('code, a')) texts.push(text);
  }
  for (const text of texts) replaceIn(text, options, found);
  return found;
}

function replaceIn(text: Text, options: InlineOptions, found: InlineFound): void {
  const pieces: (Node | string)[] = [];
  let done = 0;
  for (const match of text.data.matchAll(EITHER)) {
    const [whole, name, code] = match;
    const piece = name !== undefined ? mention(name, options.me, found) : emojiFor(code ?? '', options, found);
    if (piece === null) continue;
    pieces.push(text.data.slice(done, match.index), piece.node);
    done = match.index + (piece.length ?? whole.length);
  }
  if (pieces.length > 0) text.replaceWith(...pieces, text.data.slice(done));
}

function mention(written: string, me: string, found: InlineFound): { node: Node; length?: number } {
  const name = written.replace(/[.-]+$/, '');
  const node = document.createElement('span');
  const own = [keyOf(me), EVERYBODY].includes(keyOf(name));
  node.className = own ? 'mention own' : 'mention';
  node.textContent = `@${name}`;
  if (own) found.mentionsMe = true;
  return { node, length: name.length + 1 };
}

function emojiFor(code: string, options: InlineOptions, found: InlineFound): { node: Node | string; length?: number } | null {
  found.hasCodes = true;
  const emoji = options.emoji(code);
  return emoji === null ? null : { node: emoji };
}
