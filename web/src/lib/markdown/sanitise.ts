// The one place where text becomes elements: through DOMPurify, with a list of what may be.
import createPurify from 'dompurify';

const TAGS = [
  ...['p', 'br', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'a', 'hr', 'span'],
  ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
];
const SCHEMES = /^(?:https?|mailto):/i;
const OWN_CLASS = /^(?:language-[a-z0-9+#-]{1,20}|hljs-[a-z_-]{1,30})$/;
/** Of which elements which attributes stay. Everything else goes. */
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = { a: ['href', 'rel', 'target'], ol: ['start'], th: ['align'], td: ['align'], code: ['class'], span: ['class'] };

let purify: ReturnType<typeof createPurify> | null = null;

/** `html` as elements, none of which can do anything but show text and link to a page or an address. */
export function sanitise(html: string): DocumentFragment {
  purify ??= make();
  const clean = purify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ['href', 'class', 'start', 'align'],
    ALLOWED_URI_REGEXP: SCHEMES,
    ADD_URI_SAFE_ATTR: ['start', 'align'],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  // Of the page's own document: each text would else keep alive the one it was parsed in.
  return document.importNode(clean, true);
}

/** An address that a link may have, made whole; null: none. */
export function safeAddress(href: string): string | null {
  if (!SCHEMES.test(href)) return null;
  try {
    const url = new URL(href);
    return SCHEMES.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function make(): ReturnType<typeof createPurify> {
  const made = createPurify(window);
  made.addHook('afterSanitizeAttributes', (node) => {
    const allowed = ATTRIBUTES[node.localName] ?? [];
    for (const { name } of [...node.attributes]) {
      if (!allowed.includes(name)) node.removeAttribute(name);
    }
    const classes = (node.getAttribute('class') ?? '').split(/\s+/).filter((name) => OWN_CLASS.test(name));
    if (classes.length > 0) node.setAttribute('class', classes.join(' '));
    else node.removeAttribute('class');
    if (node.localName === 'a') closeLink(node);
  });
  return made;
}

/** Links elsewhere open beside this page and tell it nothing; those to pages of ours stay here. */
function closeLink(link: Element): void {
  const address = safeAddress(link.getAttribute('href') ?? '');
  if (address === null) {
    link.removeAttribute('href');
    return;
  }
  link.setAttribute('href', address);
  link.setAttribute('rel', 'noopener noreferrer nofollow');
  if (new URL(address).origin !== window.location.origin) link.setAttribute('target', '_blank');
}
