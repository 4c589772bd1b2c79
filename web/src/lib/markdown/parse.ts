// Markdown to HTML by marked, as chat needs it: raw HTML is text, a picture is a link, nothing written is lost.
import { Marked } from 'marked';
import type { Tokens } from 'marked';
import { safeAddress } from './sanitise';

// Deeper than anybody writes, and long before a parser that calls itself runs out of stack or time.
const DEEPEST = 12;
const MOST_BRACKETS = 400;

const parser = new Marked({
  gfm: true,
  breaks: true,
  async: false,
  tokenizer: {
    // `undefined` is "no such thing here"; `false` would fall back to marked's own.
    html: () => undefined,
    tag: () => undefined,
    def: () => undefined,
  },
  renderer: {
    html: ({ text }) => escape(text),
    image: ({ href, text, raw }) => linkTo(href, escape(text || href), raw),
    link(token) {
      return linkTo(token.href, this.parser.parseInline(token.tokens), token.raw);
    },
    code: ({ text, lang }) => `<pre><code${languageClass(lang)}>${escape(text)}\n</code></pre>`,
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  },
});

/** The HTML of a text; null if it is too strange to be parsed: then it is shown as it is. */
export function toHtml(text: string): string | null {
  if (isTooDeep(text)) return null;
  try {
    return parser.parse(text) as string;
  } catch {
    return null;
  }
}

/** Whether a text is the same with Markdown as without. Most of what people say is, and it is quick. */
export function isPlain(text: string): boolean {
  return !/[\n*_~`[\]<>#@:\\|&=]|^\s|^[-+]|^\d+[.)]|www\.|\s\s$/i.test(text);
}

export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function linkTo(href: string, html: string, raw: string): string {
  const address = safeAddress(href);
  return address === null ? escape(raw) : `<a href="${escape(address)}">${html}</a>`;
}

function languageClass(lang: Tokens.Code['lang']): string {
  const name = /^[a-z0-9+#-]{1,20}/i.exec(lang ?? '')?.[0].toLowerCase();
  return name ? ` class="language-${name}"` : '';
}

/** Nested beyond reason: quotes in quotes, or piles of brackets and stars, which parsers are slow with. */
function isTooDeep(text: string): boolean {
  if (text.length < 40) return false;
  if (new RegExp(`^(?:[ \\t]*(?:>|[-+*]|\\d{1,9}[.)])[ \\t]*){${DEEPEST},}`, 'm').test(text)) return true;
  const piles = text.match(/[[\]]|[*_~]{1,3}|!\[|`+/g);
  return (piles?.length ?? 0) > MOST_BRACKETS;
}
