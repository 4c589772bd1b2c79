import { describe, expect, test } from 'vitest';
import { ownPath, parse, pathOf, Router, roomPath, type Route } from '../../src/lib/router';

const at = (path: string) => parse(new URL(path, 'https://chat.example'));

describe('addresses', () => {
  const pages: [string, Route][] = [
    ['/', { page: 'home' }],
    ['/rooms/general', { page: 'room', room: 'general', seq: null }],
    ['/rooms/general/42', { page: 'room', room: 'general', seq: 42 }],
    ['/rooms/release%201.0', { page: 'room', room: 'release 1.0', seq: null }],
    ['/rooms/%40ada%2Cbob/7', { page: 'room', room: '@ada,bob', seq: 7 }],
    ['/rooms/%E5%9C%96%E6%9B%B8%E9%A4%A8', { page: 'room', room: '圖書館', seq: null }],
    ['/search', { page: 'search', q: '' }],
    ['/search?q=from%3Aada%20tea%20%26%20cake', { page: 'search', q: 'from:ada tea & cake' }],
    ['/account', { page: 'account' }],
    ['/admin/people', { page: 'admin', section: 'people' }],
    ['/admin/server', { page: 'admin', section: 'server' }],
    ['/login', { page: 'login', next: '/' }],
    ['/login?next=%2Frooms%2Fgeneral%2F42', { page: 'login', next: '/rooms/general/42' }],
    ['/invite#s3cret', { page: 'invite', secret: 's3cret' }],
    ['/setup#s3cret', { page: 'setup', secret: 's3cret' }],
    ['/reset#s3cret', { page: 'reset', secret: 's3cret' }],
  ];

  test.each(pages)('%s leads to its page, and the page has this address', (path, route) => {
    expect(at(path)).toEqual(route);
    expect(pathOf(route)).toBe(path);
  });

  test('other spellings of a page lead there too', () => {
    expect(at('/admin')).toEqual({ page: 'admin', section: 'people' });
    expect(at('/rooms')).toEqual({ page: 'home' });
    expect(at('/rooms/general/')).toEqual({ page: 'room', room: 'general', seq: null });
  });

  test.each(['/nowhere', '/rooms/general/x', '/rooms/general/1/2', '/rooms/%', '/rooms/general/-1', '/account/more', '/admin/secrets', '/api/me', '/rooms/a/1e3'])(
    '%s is no page',
    (path) => {
      expect(at(path)).toEqual({ page: 'missing', path: new URL(path, 'https://chat.example').pathname });
    },
  );

  test('a room of any name has an address of its own', () => {
    for (const room of ['a b', 'ß', '👋', 'a+b', 'a=b', '@ada', '()[]{}^$', '.hidden']) {
      expect(at(roomPath(room, 3))).toEqual({ page: 'room', room, seq: 3 });
    }
  });
});

describe('where to go after logging in', () => {
  test.each(['https://evil.example/', '//evil.example/', '/\\evil.example', 'javascript:alert(1)', '', null, 'rooms', '\\\\evil.example'])(
    '%s leads home',
    (path) => {
      expect(ownPath(path)).toBe('/');
    },
  );

  test('a page of ours is kept, with its question', () => {
    expect(ownPath('/search?q=tea')).toBe('/search?q=tea');
  });
});

/** A history as a browser keeps it, as far as the router needs it. */
function browser(path: string) {
  const steps = [{ state: null as unknown, href: new URL(path, 'https://chat.example').href }];
  const listeners = new Map<string, () => void>();
  let place = 0;
  const step = () => steps[place] ?? { state: null, href: '' };
  const window = {
    get location() {
      return new URL(step().href);
    },
    history: {
      get state() {
        return step().state;
      },
      pushState(state: unknown, _title: string, to: string) {
        const href = new URL(to, step().href).href;
        steps.splice(++place, Infinity, { state, href });
      },
      replaceState(state: unknown, _title: string, to: string) {
        steps[place] = { state, href: new URL(to, step().href).href };
      },
      back() {
        place = Math.max(0, place - 1);
        listeners.get('popstate')?.();
      },
    },
    addEventListener: (name: string, run: () => void) => listeners.set(name, run),
  };
  return { window: window as unknown as Window, steps, path: () => window.location.pathname };
}

describe('the history', () => {
  test('going somewhere and back tells who listens', () => {
    const { window } = browser('/rooms/general');
    const router = new Router(window);
    const seen: string[] = [];
    router.subscribe((route) => seen.push(pathOf(route)));
    router.go({ page: 'room', room: 'general', seq: 42 });
    window.history.back();
    expect(seen).toEqual(['/rooms/general', '/rooms/general/42', '/rooms/general']);
  });

  test('going where one is adds no step', () => {
    const { window, steps } = browser('/account');
    new Router(window).go('/account');
    expect(steps).toHaveLength(1);
  });

  test('replacing a page leaves no step behind', () => {
    const { window, steps, path } = browser('/');
    new Router(window).go({ page: 'room', room: 'general', seq: null }, { replace: true });
    expect([steps.length, path()]).toEqual([1, '/rooms/general']);
  });

  test('back stays in the page: from a link into a room it goes to the list', () => {
    const { window, path } = browser('/rooms/general/42');
    const router = new Router(window);
    router.back({ page: 'home' });
    expect(path()).toBe('/');
  });

  test('back goes back where there is something to go back to', () => {
    const { window, path } = browser('/');
    const router = new Router(window);
    router.go('/rooms/general');
    router.go('/rooms/random');
    router.back({ page: 'home' });
    expect(path()).toBe('/rooms/general');
  });

  test('who has unsubscribed hears nothing', () => {
    const { window } = browser('/');
    const router = new Router(window);
    const seen: Route[] = [];
    router.subscribe((route) => seen.push(route))();
    router.go('/account');
    expect(seen).toEqual([{ page: 'home' }]);
  });
});
