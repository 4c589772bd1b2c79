// @vitest-environment jsdom
import { describe, expect, test } from 'vitest';
import { render, isBig, oneLine } from '../../src/lib/markdown/render';
import { isPlain } from '../../src/lib/markdown/parse';
import { loadCodes } from '../../src/lib/emoji/shortcodes.svelte';
import { ATTACKS } from './attacks';

const ELEMENTS = new Set('p br strong em del code pre blockquote ul ol li a hr h1 h2 h3 h4 h5 h6 table thead tbody tr th td span'.split(' '));
const ATTRIBUTES: Record<string, string[]> = { a: ['href', 'rel', 'target'], ol: ['start'], th: ['align'], td: ['align'], code: ['class'], span: ['class'] };
const CLASSES = /^(language-[a-z0-9+#-]+|hljs-[a-z_-]+|mention|mention own)$/;

function html(text: string, me = 'olga'): string {
  const box = document.createElement('div');
  box.append(render(text, me, false).fragment.cloneNode(true));
  return box.innerHTML;
}

function strangeIn(text: string): string[] {
  const box = document.createElement('div');
  box.append(render(text, 'olga', false).fragment.cloneNode(true));
  const strange: string[] = [];
  for (const element of box.querySelectorAll('*')) {
    if (!ELEMENTS.has(element.localName)) strange.push(`<${element.localName}>`);
    for (const { name, value } of element.attributes) {
      if (!(ATTRIBUTES[element.localName] ?? []).includes(name)) strange.push(`${element.localName} ${name}=${value}`);
      if (name === 'class' && !CLASSES.test(value)) strange.push(`class ${value}`);
      if (name === 'href' && !/^(https?|mailto):/.test(value)) strange.push(`href ${value}`);
    }
    if (element.localName === 'a' && element.getAttribute('rel') !== 'noopener noreferrer nofollow') strange.push('a without rel');
  }
  return strange;
}

describe('what tries to harm', () => {
  test.each(ATTACKS)('has no element or attribute outside of the list: %s', (text) => {
    expect(strangeIn(text)).toEqual([]);
    expect(strangeIn(`> - **${text}** and\n\n| a | b |\n|---|---|\n| ${text} | c |`)).toEqual([]);
  });

  test('shows markup as the text that it is', () => {
    const box = document.createElement('div');
    box.append(render('a <b onclick="x()">bold</b> <img src=x onerror=y>', 'olga', false).fragment.cloneNode(true));
    expect(box.textContent?.trim()).toBe('a <b onclick="x()">bold</b> <img src=x onerror=y>');
  });

  test('shows a link that leads to a script as it was written', () => {
    expect(html('[press](javascript:alert(1))')).toBe('<p>[press](javascript:alert(1))</p>\n');
  });

  test('lets nothing vanish: a definition of a link is text', () => {
    expect(render('[x]: https://a.example/ "words"', 'olga', false).fragment.textContent).toContain('[x]:');
    expect(render('#', 'olga', false).fragment.textContent).toBe('#');
  });

  test.each([
    ['quotes', '>'.repeat(10_000)],
    ['lists', '- '.repeat(5_000)],
    ['brackets', '['.repeat(10_000)],
    ['stars', '*a '.repeat(3_000)],
    ['links in links', '[a]('.repeat(2_500)],
    ['pictures', '!['.repeat(5_000)],
    ['underscores', '_a'.repeat(5_000)],
    ['backticks', '`'.repeat(9_999)],
    ['a table', `|${'a|'.repeat(2_000)}\n|${'-|'.repeat(2_000)}`],
    ['angles', '<'.repeat(10_000)],
    ['signs of a mention', '@a'.repeat(5_000)],
    ['spaces', `a${' '.repeat(9_990)}b`],
    ['backslashes', '\\'.repeat(10_000)],
    ['mails', 'a@'.repeat(5_000)],
    ['addresses', 'http://'.repeat(1_400)],
    ['entities', '&'.repeat(10_000)],
    ['fences', '```\n'.repeat(2_500)],
    ['tildes', '~~a'.repeat(3_000)],
    ['colons', ':a'.repeat(5_000)],
  ])('is shown whatever is piled up: %s', (_name, text) => {
    const shown = render(text, 'olga', false).fragment;
    expect(shown.textContent?.length).toBeGreaterThan(0);
  });
});

describe('Markdown', () => {
  test.each([
    ['**a** _b_ ~~c~~ `d`', '<p><strong>a</strong> <em>b</em> <del>c</del> <code>d</code></p>\n'],
    ['one\ntwo', '<p>one<br>two</p>\n'],
    ['> q', '<blockquote>\n<p>q</p>\n</blockquote>\n'],
    ['3. a\n4. b', '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>\n'],
    ['| a |\n|:-:|\n| b |', '<table>\n<thead>\n<tr>\n<th align="center">a</th>\n</tr>\n</thead>\n<tbody><tr>\n<td align="center">b</td>\n</tr>\n</tbody></table>\n'],
    ['- [x] done', '<ul>\n<li>☑ done</li>\n</ul>\n'],
    ['https://a.example/?b=1&c=2', '<p><a href="https://a.example/?b=1&amp;c=2" rel="noopener noreferrer nofollow" target="_blank">https://a.example/?b=1&amp;c=2</a></p>\n'],
    ['![cat](https://a.example/c.png)', '<p><a href="https://a.example/c.png" rel="noopener noreferrer nofollow" target="_blank">cat</a></p>\n'],
    ['```Python\nx<1\n```', '<pre><code class="language-python">x&lt;1\n</code></pre>'],
    ['a & b', '<p>a &amp; b</p>\n'],
  ])('%s', (text, expected) => {
    expect(html(text)).toBe(expected);
  });

  test('a link to a page of ours stays in this window', () => {
    expect(html(`${location.origin}/rooms/general/4`)).not.toContain('target');
  });

  test('what is plain is shown the same without a parser', () => {
    expect(isPlain('Hello, who takes the minutes?')).toBe(true);
    for (const text of ['a\nb', '*a*', '1. a', '- a', 'www.a.example', 'a  ', ' a', '# a', '@a', ':a:', '\\a', '&amp;', '> a']) expect(isPlain(text)).toBe(false);
  });
});

describe('mentions', () => {
  test('are marked, and one’s own are known', () => {
    expect(html('hi @bob.')).toBe('<p>hi <span class="mention">@bob</span>.</p>\n');
    expect(html('hi @OLGA-')).toContain('<span class="mention own">@OLGA</span>-');
    expect(render('x **@olga**', 'olga', false).mentionsMe).toBe(true);
    expect(render('for @here', 'olga', false).mentionsMe).toBe(true);
  });

  test.each(['olga@olga.example', '`@olga`', 'a@olga', '/@olga', '@@olga', '@olgas', '@', '@ olga'])('are not in %s', (text) => {
    expect(render(text, 'olga', false).mentionsMe).toBe(false);
  });

  test('in Chinese text end where the name ends', () => {
    expect(html('請 @小明, 看')).toContain('<span class="mention">@小明</span>, 看');
  });
});

describe('emoji', () => {
  test('by name wait for the list, and are put in with it', async () => {
    expect(render('yes :tada: no', 'olga', false).wantsCodes).toBe(true);
    await loadCodes();
    expect(render('yes :tada: :+1: :nothing-such: `:tada:`', 'olga', true).fragment.textContent?.trim()).toBe('yes 🎉 👍 :nothing-such: :tada:');
    expect(render(':tada: :heart:', 'olga', true).big).toBe(true);
  });

  test.each(['🎉', '❤️ 👍🏽', '👩‍👩‍👧', '🇹🇼', '1️⃣'])('%s alone is big', (text) => expect(isBig(text)).toBe(true));
  test.each(['a 🎉', '1', '12', '#', '', '🎉'.repeat(13)])('%j is not', (text) => expect(isBig(text)).toBe(false));
});

test('a quote is one line without signs', () => {
  expect(oneLine('**a**\n\n- b\n- c', 'olga', false)).toBe('a b c');
});
