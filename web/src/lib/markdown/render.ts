// A message's text as elements ready to be shown, kept for the next time.
import { shortcode } from '../emoji/shortcodes.svelte';
import { decorate } from './inline';
import { Lru } from './lru';
import { isPlain, toHtml } from './parse';
import { sanitise } from './sanitise';

export interface Rendered {
  /** To be cloned, not moved. */
  fragment: DocumentFragment;
  mentionsMe: boolean;
  /** Emoji by name are in it that are not loaded yet. */
  wantsCodes: boolean;
  /** Nothing but a few emoji: shown large. */
  big: boolean;
  /** It has fences. */
  code: boolean;
  /** It has parts that may be wider than their place. */
  wide: boolean;
  /** Its code has its colours. */
  highlighted: boolean;
}

const DEEPEST_ELEMENT = 40;
const MOST_BIG = 12;
// A few megabytes at most: text, and elements of about ten times its size.
const kept = new Lru<string, Rendered>(400_000);

/** `text` as elements. `codes` says whether emoji by name are loaded: with them the result is another. */
export function render(text: string, me: string, codes: boolean): Rendered {
  const key = `${codes ? 1 : 0}${me}\n${text}`;
  const before = kept.get(key);
  if (before) return before;
  const made = make(text, me, codes);
  kept.set(key, made, text.length + 100);
  return made;
}

function make(text: string, me: string, codes: boolean): Rendered {
  const fragment = isPlain(text) ? plain(text) : (fromMarkdown(text) ?? plain(text));
  const found = decorate(fragment, { me, emoji: (code) => (codes ? shortcode(code) : null) });
  return {
    fragment,
    mentionsMe: found.mentionsMe,
    wantsCodes: found.hasCodes && !codes,
    big: isBig(fragment.textContent ?? ''),
    code: fragment.querySelector('pre') !== null,
    wide: fragment.querySelector('pre, table') !== null,
    highlighted: false,
  };
}

/** The text as it is, line for line. */
function plain(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  const paragraph = document.createElement('p');
  for (const [index, line] of text.split('\n').entries()) {
    if (index > 0) paragraph.append(document.createElement('br'));
    paragraph.append(line);
  }
  fragment.append(paragraph);
  return fragment;
}

/** Null if nothing of the text would be seen, or it would nest beyond reason. */
function fromMarkdown(text: string): DocumentFragment | null {
  const html = toHtml(text);
  if (html === null) return null;
  const fragment = sanitise(html);
  const shows = (fragment.textContent ?? '').trim() !== '' || fragment.querySelector('hr') !== null;
  return shows && depthOf(fragment) <= DEEPEST_ELEMENT ? fragment : null;
}

function depthOf(fragment: DocumentFragment): number {
  let deepest = 0;
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_ELEMENT);
  let depth = 0;
  let node = walker.firstChild();
  while (node) {
    depth += 1;
    deepest = Math.max(deepest, depth);
    if (deepest > DEEPEST_ELEMENT) return deepest;
    if ((node = walker.firstChild())) continue;
    while (!(node = walker.nextSibling())) {
      depth -= 1;
      if (depth <= 0 || !walker.parentNode()) return deepest;
    }
    depth -= 1;
  }
  return deepest;
}

const SKIN = '[\\u{1F3FB}-\\u{1F3FF}\\uFE0F]*';
const ONE = `(?:\\p{Extended_Pictographic}${SKIN}(?:\\u200D\\p{Extended_Pictographic}${SKIN})*|[\\u{1F1E6}-\\u{1F1FF}]{2}|[0-9#*]\\uFE0F?\\u20E3)`;
const ONLY_EMOJI = new RegExp(`^(?:${ONE}\\s*){1,${MOST_BIG}}$`, 'u');

/** A few emoji and nothing else. */
export function isBig(text: string): boolean {
  const trimmed = text.trim();
  return trimmed.length > 0 && trimmed.length <= 100 && ONLY_EMOJI.test(trimmed);
}

/** The text in one line, without Markdown's signs, for a quote. */
export function oneLine(text: string, me: string, codes: boolean): string {
  const shown = render(text.slice(0, 400), me, codes).fragment.textContent ?? '';
  return shown.replace(/\s+/g, ' ').trim().slice(0, 200);
}
