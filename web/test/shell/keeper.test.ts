import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HubbubError, type Preferences } from '../../src/lib/client';
import { choicesFrom, firstChoices, type Choices } from '../../src/lib/state/choices';
import { Keeper } from '../../src/lib/state/keeper';
import type { Shelf } from '../../src/lib/state/storage';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const soon = () => vi.advanceTimersByTimeAsync(500);

/** What the server keeps, for whoever's cookie a browser has. */
class Accounts {
  readonly kept = new Map<string, Preferences>();
  requests: string[] = [];
  error: HubbubError | null = null;
  /** Called before each request is answered. */
  meanwhile: (request: string) => void = () => {};

  of(browser: Browser) {
    const answer = async (request: string, run: () => Preferences): Promise<Preferences> => {
      this.requests.push(request);
      await Promise.resolve();
      this.meanwhile(request);
      if (this.error) throw this.error;
      return structuredClone(run());
    };
    const who = () => browser.cookie ?? 'nobody';
    return {
      preferences: () => answer('GET', () => this.kept.get(who()) ?? {}),
      setPreferences: (preferences: Preferences) => answer('PUT', () => {
        this.kept.set(who(), structuredClone(preferences));
        return preferences;
      }),
    };
  }
}

/** One browser with its storage and its cookie; `tab` loads the page in it. */
class Browser {
  cookie: string | null = null;
  readonly stored = new Map<string, string>();
  readonly tabs: Keeper[] = [];

  constructor(readonly accounts: Accounts) {}

  tab(atLink = false): Keeper {
    const shelf: Shelf = {
      get: (key) => this.stored.get(key) ?? null,
      set: (key, value) => {
        if (this.stored.get(key) === value) return;
        this.stored.set(key, value);
        for (const other of this.tabs) if (other !== keeper) other.storageChanged(key);
      },
      remove: (key) => void this.stored.delete(key),
    };
    const keeper = new Keeper({ shelf, api: this.accounts.of(this), changed: () => {} }, atLink);
    this.tabs.push(keeper);
    return keeper;
  }

  /** The page loaded anew, by somebody who is logged in. */
  async load(name: string): Promise<Keeper> {
    this.cookie = name;
    const keeper = this.tab();
    keeper.online(name);
    await soon();
    return keeper;
  }
}

const begin = () => {
  const accounts = new Accounts();
  return { accounts, desk: new Browser(accounts), phone: new Browser(accounts) };
};
const chosen = (some: Partial<Choices>): Choices => ({ ...firstChoices(), ...some });

describe('what follows the account', () => {
  test('is written once changes rest, and is there in another browser', async () => {
    const { accounts, desk, phone } = begin();
    const page = await desk.load('ada');
    accounts.requests = [];
    page.change({ theme: 'light' });
    page.change({ theme: 'dark' });
    page.change({ language: 'zh-TW' });
    await soon();
    expect(accounts.requests).toEqual(['GET', 'PUT']);
    expect(accounts.kept.get('ada')).toEqual({ theme: 'dark', language: 'zh-TW' });
    expect((await phone.load('ada')).choices).toEqual(chosen({ theme: 'dark', language: 'zh-TW' }));
  });

  test('is there at the next load before the server answers', async () => {
    const { desk } = begin();
    (await desk.load('ada')).change({ theme: 'dark' });
    expect(desk.tab().choices.theme).toBe('dark');
  });

  test('leaves what other programs keep there as it is', async () => {
    const { accounts, desk } = begin();
    accounts.kept.set('ada', { theme: 'light', bot: { keys: [1, null] } });
    (await desk.load('ada')).change({ theme: 'dark' });
    await soon();
    expect(accounts.kept.get('ada')).toEqual({ theme: 'dark', bot: { keys: [1, null] } });
  });

  test('is the last writer’s for each setting apart', async () => {
    const { accounts, desk, phone } = begin();
    const [here, there] = [await desk.load('ada'), await phone.load('ada')];
    here.change({ theme: 'dark' });
    await soon();
    there.change({ language: 'zh-TW' });
    await soon();
    expect(accounts.kept.get('ada')).toEqual({ theme: 'dark', language: 'zh-TW' });
    expect(there.choices.theme).toBe('dark');
    there.change({ theme: 'light' });
    await soon();
    expect((await desk.load('ada')).choices).toEqual(chosen({ theme: 'light', language: 'zh-TW' }));
  });

  test('is asked for anew when somebody comes back to the page after a while', async () => {
    const { accounts, desk } = begin();
    const page = await desk.load('ada');
    accounts.kept.set('ada', { theme: 'dark' });
    page.shown();
    await soon();
    expect(page.choices.theme).toBe('system');
    await vi.advanceTimersByTimeAsync(61_000);
    page.shown();
    await soon();
    expect(page.choices.theme).toBe('dark');
  });

  test('is what everybody begins with where the account holds what is not understood', async () => {
    const { accounts, desk } = begin();
    accounts.kept.set('ada', { theme: 'sepia', language: 'tlh', quiet: { on: 1, from: '25:00', to: '06:30' } });
    const page = await desk.load('ada');
    expect(page.choices).toEqual(chosen({ quiet: { on: false, from: '22:00', to: '06:30' } }));
    expect(accounts.requests).toEqual(['GET']);
  });

  test('and is changed while it is being written, is written again', async () => {
    const { accounts, desk } = begin();
    const page = await desk.load('ada');
    accounts.meanwhile = (request) => {
      if (request !== 'PUT') return;
      accounts.meanwhile = () => {};
      page.change({ theme: 'light' });
    };
    page.change({ theme: 'dark' });
    await soon();
    await soon();
    expect(accounts.kept.get('ada')).toEqual({ theme: 'light' });
    expect(page.choices.theme).toBe('light');
  });

  test('other tabs of the browser show it too', async () => {
    const { desk } = begin();
    const [one, other] = [await desk.load('ada'), await desk.load('ada')];
    one.change({ theme: 'dark' });
    expect(other.choices.theme).toBe('dark');
  });
});

describe('without a connection', () => {
  test('a change waits, and is written when there is one', async () => {
    const { accounts, desk } = begin();
    const page = await desk.load('ada');
    accounts.requests = [];
    page.offline();
    page.change({ theme: 'dark' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(accounts.requests).toEqual([]);
    page.online('ada');
    await soon();
    expect(accounts.kept.get('ada')).toEqual({ theme: 'dark' });
  });

  test('a change outlives the tab', async () => {
    const { accounts, desk } = begin();
    const page = await desk.load('ada');
    page.offline();
    page.change({ theme: 'dark' });
    await desk.load('ada');
    expect(accounts.kept.get('ada')).toEqual({ theme: 'dark' });
  });

  test('coming back asks for nothing if nothing was changed', async () => {
    const { accounts, desk } = begin();
    const page = await desk.load('ada');
    accounts.requests = [];
    page.offline();
    page.online('ada');
    await soon();
    expect(accounts.requests).toEqual([]);
  });

  test('a server that can’t answer now is asked again, one that refuses is not', async () => {
    const { accounts, desk } = begin();
    const page = await desk.load('ada');
    accounts.error = new HubbubError('unavailable', 'Not now.', { status: 503, retry: true });
    page.change({ theme: 'dark' });
    await soon();
    accounts.error = null;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(accounts.kept.get('ada')).toEqual({ theme: 'dark' });
    accounts.error = new HubbubError('bad_payload', 'Too long.', { status: 400 });
    page.change({ theme: 'light' });
    await soon();
    accounts.requests = [];
    await vi.advanceTimersByTimeAsync(120_000);
    expect(accounts.requests).toEqual([]);
    expect(page.choices.theme).toBe('light');
  });
});

describe('what belongs to the device', () => {
  test('stays there, and is never written to the account', async () => {
    const { accounts, desk, phone } = begin();
    accounts.kept.set('ada', { notify: true, sound: false });
    const page = await desk.load('ada');
    expect(page.choices).toEqual(firstChoices());
    accounts.requests = [];
    page.change({ notify: true, sound: false });
    await soon();
    expect(accounts.requests).toEqual([]);
    expect((await desk.load('ada')).choices).toEqual(chosen({ notify: true, sound: false }));
    expect((await phone.load('ada')).choices).toEqual(firstChoices());
  });
});

describe('two people in one browser', () => {
  test('do not get each other’s settings, and find their own again', async () => {
    const { accounts, desk } = begin();
    const adas = await desk.load('ada');
    adas.change({ theme: 'dark', language: 'zh-TW', sound: false });
    await soon();
    adas.loggedOut();
    expect(adas.choices).toEqual(firstChoices());
    expect(desk.tab().choices).toEqual(firstChoices());
    const bobs = await desk.load('bob');
    expect(bobs.choices).toEqual(firstChoices());
    expect(accounts.kept.has('bob')).toBe(false);
    bobs.loggedOut();
    expect((await desk.load('ada')).choices).toEqual(chosen({ theme: 'dark', language: 'zh-TW', sound: false }));
  });

  test('a change that could not be written before one left is not written to the next one’s account', async () => {
    const { accounts, desk } = begin();
    const adas = await desk.load('ada');
    adas.offline();
    adas.change({ theme: 'dark' });
    adas.loggedOut();
    (await desk.load('bob')).loggedOut();
    expect(accounts.kept.has('bob')).toBe(false);
    await desk.load('ada');
    expect(accounts.kept.get('ada')).toEqual({ theme: 'dark' });
  });

  test('a tab of who was here before writes nothing to the account of who is here now', async () => {
    const { accounts, desk } = begin();
    const adas = await desk.load('ada');
    await desk.load('bob');
    adas.change({ theme: 'dark' });
    await soon();
    expect(accounts.kept.has('bob')).toBe(false);
    expect(desk.tab().choices).toEqual(firstChoices());
  });
});

describe('what was chosen at the door', () => {
  test('goes with who comes in, and does not stay at the door', async () => {
    const { accounts, desk } = begin();
    desk.tab().change({ language: 'zh-TW' });
    const page = await desk.load('ada');
    expect(page.choices.language).toBe('zh-TW');
    expect(accounts.kept.get('ada')).toEqual({ language: 'zh-TW' });
    page.loggedOut();
    expect(page.choices).toEqual(firstChoices());
  });

  test('gives way to what the account says', async () => {
    const { accounts, desk } = begin();
    accounts.kept.set('ada', { language: null });
    desk.tab().change({ language: 'zh-TW' });
    expect((await desk.load('ada')).choices.language).toBeNull();
    expect(accounts.kept.get('ada')).toEqual({ language: null });
  });

  test('of a link is not the choice of who is logged in here', async () => {
    const { accounts, desk } = begin();
    (await desk.load('ada')).change({ theme: 'dark' });
    await soon();
    const link = desk.tab(true);
    expect(link.choices).toEqual(firstChoices());
    link.change({ language: 'zh-TW' });
    link.loggedOut();
    const bobs = await desk.load('bob');
    expect(bobs.choices).toEqual(chosen({ language: 'zh-TW' }));
    expect(accounts.kept.get('ada')).toEqual({ theme: 'dark' });
  });
});

test('what lies in the storage and is not ours to understand is passed over', () => {
  const { desk } = begin();
  for (const text of ['{', '7', 'null', '[]', '{"theme": 3, "quiet": [], "unsaved": {}, "sound": "loud"}']) {
    desk.stored.set('hubbub.settings', text);
    expect(desk.tab().choices).toEqual(firstChoices());
  }
  expect(choicesFrom({})).toEqual(firstChoices());
});
