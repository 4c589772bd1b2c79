// Colours for code: loaded when the first fence with a language is shown. Common languages only.
import { sanitise } from './sanitise';

type Highlighter = typeof import('./languages');
let loading: Promise<Highlighter> | null = null;
const LONGEST = 20_000;

/** Colours the code in `root` where its language is known. The text stays the same. */
export async function highlightIn(root: ParentNode): Promise<boolean> {
  const blocks = [...root.querySelectorAll('pre > code[class]')].filter((code) => (code.textContent ?? '').length <= LONGEST);
  if (blocks.length === 0) return false;
  loading ??= import('./languages').catch((error: unknown) => {
    loading = null; // perhaps offline: the next one tries again
    throw error;
  });
  const { colour } = await loading;
  for (const code of blocks) {
    const name = code.className.replace('language-', '');
    const html = colour(code.textContent ?? '', name);
    if (html === null) continue;
    const made = sanitise(`<pre><code>${html}</code></pre>`).querySelector('code');
    if (made) code.replaceChildren(...made.childNodes);
  }
  return true;
}
