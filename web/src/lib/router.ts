// Which page the address bar asks for, and going to another: a small router on the history API.

export const ADMIN_SECTIONS = ['people', 'invitations', 'rooms', 'server'] as const;
export type AdminSection = (typeof ADMIN_SECTIONS)[number];
/** Pages behind a link whose secret is in the fragment, which browsers keep to themselves. */
export type LinkPage = 'setup' | 'invite' | 'reset';

export type Route =
  | { page: 'home' }
  | { page: 'room'; room: string; seq: number | null }
  | { page: 'search'; q: string }
  | { page: 'account' }
  | { page: 'admin'; section: AdminSection }
  | { page: 'login'; next: string }
  | { page: LinkPage; secret: string }
  | { page: 'missing'; path: string };

/** The page that an address asks for. Anything unknown, or broken, is `missing`. */
export function parse(url: URL): Route {
  const [first = '', second, third, ...rest] = url.pathname.split('/').slice(1);
  const path = url.pathname;
  if (rest.length > 0) return { page: 'missing', path };
  if (first === 'rooms' && second) return room(second, third) ?? { page: 'missing', path };
  if (first === 'admin' && third === undefined) {
    const section = ADMIN_SECTIONS.find((name) => name === (second || 'people'));
    return section ? { page: 'admin', section } : { page: 'missing', path };
  }
  if (second !== undefined) return { page: 'missing', path };
  switch (first) {
    case '':
    case 'rooms':
      return { page: 'home' };
    case 'search':
      return { page: 'search', q: url.searchParams.get('q') ?? '' };
    case 'account':
      return { page: 'account' };
    case 'login':
      return { page: 'login', next: ownPath(url.searchParams.get('next')) };
    case 'setup':
    case 'invite':
    case 'reset':
      return { page: first, secret: url.hash.slice(1) };
    default:
      return { page: 'missing', path };
  }
}

/** The address of a page: the reverse of `parse`. */
export function pathOf(route: Route): string {
  switch (route.page) {
    case 'home':
      return '/';
    case 'room':
      return `/rooms/${encodeURIComponent(route.room)}${route.seq === null ? '' : `/${route.seq}`}`;
    case 'search':
      return route.q ? `/search?q=${encodeURIComponent(route.q)}` : '/search';
    case 'account':
      return '/account';
    case 'admin':
      return `/admin/${route.section}`;
    case 'login':
      return route.next === '/' ? '/login' : `/login?next=${encodeURIComponent(route.next)}`;
    case 'setup':
    case 'invite':
    case 'reset':
      return `/${route.page}#${route.secret}`;
    case 'missing':
      return route.path;
  }
}

export const roomPath = (name: string, seq: number | null = null): string => pathOf({ page: 'room', room: name, seq });

/** A path of this site to go to after logging in; `/` for anything that could lead elsewhere. */
export function ownPath(path: string | null): string {
  if (!path || !/^\/(?![/\\])/.test(path)) return '/';
  const url = new URL(path, 'https://hubbub.invalid');
  return url.host === 'hubbub.invalid' ? url.pathname + url.search : '/';
}

function room(name: string, seq: string | undefined): Route | null {
  const number = seq === undefined || seq === '' ? null : /^\d{1,15}$/.test(seq) ? Number(seq) : Number.NaN;
  if (Number.isNaN(number)) return null;
  try {
    return { page: 'room', room: decodeURIComponent(name), seq: number };
  } catch {
    return null; // a lone % in the address
  }
}

type Run = (route: Route) => void;

/** The page's place in its history, as a store. */
export class Router {
  private readonly runs = new Set<Run>();
  private now: Route;
  /** How many pages of ours lie behind this one: whether "back" stays here. */
  private depth: number;

  constructor(private readonly window: Pick<Window, 'history' | 'location' | 'addEventListener'>) {
    this.now = this.read();
    this.depth = this.depthOf(window.history.state);
    window.addEventListener('popstate', () => {
      this.depth = this.depthOf(window.history.state);
      this.tell();
    });
    // A link with another secret, pasted over this one, changes the fragment only.
    window.addEventListener('hashchange', () => this.tell());
  }

  subscribe(run: Run): () => void {
    this.runs.add(run);
    run(this.now);
    return () => this.runs.delete(run);
  }

  get(): Route {
    return this.now;
  }

  /** To another page: a new step of the history, or in the place of this one. */
  go(to: Route | string, options: { replace?: boolean } = {}): void {
    const path = typeof to === 'string' ? to : pathOf(to);
    const { history, location } = this.window;
    const same = path === location.pathname + location.search + location.hash;
    if (options.replace || same) history.replaceState({ depth: this.depth }, '', path);
    else history.pushState({ depth: ++this.depth }, '', path);
    this.tell();
  }

  /** One step back if that is a page of ours, else to `otherwise`. */
  back(otherwise: Route): void {
    if (this.depth > 0) this.window.history.back();
    else this.go(otherwise, { replace: true });
  }

  private read(): Route {
    return parse(new URL(this.window.location.href));
  }

  private depthOf(state: unknown): number {
    const depth = (state as { depth?: unknown } | null)?.depth;
    return typeof depth === 'number' ? depth : 0;
  }

  private tell(): void {
    this.now = this.read();
    for (const run of [...this.runs]) run(this.now);
  }
}

/** Whether a click on a link should be taken by the router: a plain click on a page of ours. */
export function isOurs(event: MouseEvent, link: HTMLAnchorElement, origin: string): boolean {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!plain || event.defaultPrevented || link.hasAttribute('download')) return false;
  if (link.target && link.target !== '_self') return false;
  const url = new URL(link.href);
  return url.origin === origin && parse(url).page !== 'missing';
}
