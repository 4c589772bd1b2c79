// No words outside the dictionaries: in a component, whatever a person reads comes from t(…).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, type AST } from 'svelte/compiler';
import { describe, expect, test } from 'vitest';

const SOURCE = fileURLToPath(new URL('../../src', import.meta.url));
const READ_ALOUD = new Set(['title', 'aria-label', 'aria-description', 'aria-roledescription', 'aria-valuetext', 'placeholder', 'alt', 'label', 'hint', 'words']);
// Words that are the same in every language.
const NAMES = new Set(['Hubbub']);

type Node = { type: string; start: number; end: number; [key: string]: unknown };

/** Words in a component that are no t(…): text, and attributes that are read or spoken. */
function wordsLeft(source: string): string[] {
  const found: string[] = [];
  visit((parse(source, { modern: true }) as AST.Root).fragment as unknown as Node, found);
  return found;
}

function visit(node: Node, found: string[]): void {
  if (node.type === 'Text') note(String(node['data']), found);
  else if (node.type === 'ExpressionTag') literals(node['expression'] as Node, found);
  else if (node.type === 'Attribute') {
    if (READ_ALOUD.has(String(node['name']))) for (const part of parts(node['value'])) visit(part, found);
    return;
  }
  for (const [key, value] of Object.entries(node)) {
    if (key === 'expression' || key === 'metadata') continue;
    if (Array.isArray(value)) value.filter(isNode).forEach((child) => visit(child, found));
    else if (isNode(value)) visit(value, found);
  }
}

/** Literals that an expression may turn into: in a choice, a template or a sum; not in a call's arguments or a test. */
function literals(expression: Node, found: string[]): void {
  const inside = (key: string) => parts(expression[key]).forEach((part) => literals(part, found));
  if (expression.type === 'Literal' && typeof expression['value'] === 'string') note(expression['value'], found);
  else if (expression.type === 'TemplateLiteral') {
    for (const piece of parts(expression['quasis'])) note(String((piece['value'] as { cooked?: string }).cooked), found);
    inside('expressions');
  } else if (expression.type === 'ConditionalExpression') ['consequent', 'alternate'].forEach(inside);
  else if (expression.type === 'LogicalExpression' || (expression.type === 'BinaryExpression' && expression['operator'] === '+')) ['left', 'right'].forEach(inside);
}

function note(text: string, found: string[]): void {
  const words = text.replace(/&\w+;/g, ' ').split(/[^\p{L}\p{M}'’]+/u).filter((word) => /\p{L}/u.test(word) && !NAMES.has(word));
  if (words.length > 0) found.push(text.trim());
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
const parts = (value: unknown): Node[] => (Array.isArray(value) ? value : [value]).filter(isNode);

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending)).sort();
}

describe('components', () => {
  const components = filesIn(SOURCE, '.svelte');

  test('there are some to look at', () => {
    expect(components.length).toBeGreaterThan(30);
  });

  test.each(components)('%s has no words of its own', (name) => {
    expect(wordsLeft(readFileSync(join(SOURCE, name), 'utf8'))).toEqual([]);
  });

  test('words are found wherever they may stand', () => {
    const left = `<p>Hello</p><b title="Shut">x{a ? 'Yes' : t('common.close')}</b><input placeholder={\`Find \${b}\`} class="wide" />{#if c}<i>{t('Not this')}</i>Else{/if}{d || 'nobody'}`;
    expect(wordsLeft(left)).toEqual(['Hello', 'Shut', 'x', 'Yes', 'Find', 'Else', 'nobody']);
    expect(wordsLeft(`<p class="a b" data-x="words">{t('common.close')} · {count} {'·'} {e === 'word' ? '' : ','}</p>`)).toEqual([]);
  });
});

describe('dictionaries', () => {
  const areas = filesIn(join(SOURCE, 'lib/i18n/en'), '.ts');

  test('both languages have the same areas', () => {
    expect(filesIn(join(SOURCE, 'lib/i18n/zh-TW'), '.ts')).toEqual(areas);
  });

  const load = async (language: string, area: string) => ((await import(`../../src/lib/i18n/${language}/${area.replace('.ts', '')}.ts`)) as { default: Record<string, string> }).default;
  const places = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

  test.each(areas)('%s has the same keys and the same values in both', async (area) => {
    const [english, chinese] = await Promise.all([load('en', area), load('zh-TW', area)]);
    expect(Object.keys(chinese).sort()).toEqual(Object.keys(english).sort());
    for (const [key, text] of Object.entries(english)) {
      // "1 message" may do without its number in one language.
      const [one, other] = [places(text), places(chinese[key] ?? '')].map((names) => (key.endsWith('_one') ? names.filter((name) => name !== '{count}') : names));
      expect([key, other]).toEqual([key, one]);
      expect(text.trim(), key).not.toBe('');
      expect((chinese[key] ?? '').trim(), key).not.toBe('');
    }
  });

  test.each(areas)('%s has Chinese where English has words', async (area) => {
    const [english, chinese] = await Promise.all([load('en', area), load('zh-TW', area)]);
    const untranslated = Object.keys(english).filter((key) => /[a-z]{3}/.test((english[key] ?? '').replace(/\{\w+\}|Hubbub|@?here/g, '')) && !/\p{Script=Han}/u.test(chinese[key] ?? ''));
    expect(untranslated).toEqual([]);
  });

  test.each(areas)('every word of %s is used somewhere', async (area) => {
    const stem = area.replace('.ts', '');
    const sources = [...filesIn(SOURCE, '.svelte'), ...filesIn(SOURCE, '.ts')].filter((name) => !/i18n\/(en|zh-TW)\//.test(name));
    const text = sources.map((name) => readFileSync(join(SOURCE, name), 'utf8')).join('\n');
    // A key that is put together, as t(`admin.${section}`), uses all keys that begin so.
    const built = [...text.matchAll(/[`'"](\w+\.\w*)\$\{/g)].map((match) => match[1] ?? '');
    const unused = Object.keys(await load('en', area)).filter((key) => {
      const name = `${stem}.${key}`;
      const whole = name.replace(/_(one|other)$/, '');
      return !text.includes(`'${name}'`) && !text.includes(`'${whole}'`) && !built.some((start) => name.startsWith(start));
    });
    expect(unused).toEqual([]);
  });
});
