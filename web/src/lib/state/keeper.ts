// Keeps what somebody chose: in this browser, so that it is there before the server answers, and with the account, so
// that it is there in every browser. For each user apart: who logs in next begins with their own.
import { HubbubError, type Api, type Preferences } from '../client';
import { ACCOUNT_KEYS, choicesFrom, type AccountKey, type Choices } from './choices';
import type { Shelf } from './storage';

/** Changes that follow each other so closely are written at once. */
const PAUSE_MS = 400;
const RETRY_MS = 30_000;
/** Somebody who comes back to the page after so long may have chosen elsewhere meanwhile. */
const STALE_MS = 60_000;

const WHO = 'hubbub.settings-of';
const AT_THE_DOOR = 'hubbub.settings';
const placeOf = (user: string | null): string => (user === null ? AT_THE_DOOR : `${AT_THE_DOOR} ${user}`);

export interface Surroundings {
  shelf: Shelf;
  api: Pick<Api, 'preferences' | 'setPreferences'>;
  /** Hears of every change, whoever made it. */
  changed(choices: Choices): void;
}

interface Kept {
  choices: Choices;
  /** Chosen here, and not with the account yet. */
  unsaved: Set<AccountKey>;
  /** Chosen before it was known who chooses: for the account if it says nothing else. */
  offered: Set<AccountKey>;
}

export class Keeper {
  readonly #outside: Surroundings;
  #user: string | null = null;
  #kept: Kept;
  #online = false;
  #syncedAt: number | null = null;
  #running = false;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `atLink`: the page is a link's, whose visitor is nobody yet, whoever may be logged in. */
  constructor(outside: Surroundings, atLink = false) {
    this.#outside = outside;
    if (!atLink) this.#user = outside.shelf.get(WHO);
    this.#kept = this.#read(this.#user);
  }

  /** Who is logged in here, as far as is known; null: nobody. */
  get user(): string | null {
    return this.#user;
  }

  get choices(): Choices {
    return this.#kept.choices;
  }

  change(some: Partial<Choices>): void {
    Object.assign(this.#kept.choices, structuredClone(some));
    for (const key of ACCOUNT_KEYS) {
      if (!(key in some)) continue;
      this.#kept.unsaved.add(key);
      this.#kept.offered.delete(key);
    }
    this.#write();
    if (this.#online && this.#kept.unsaved.size > 0) this.#syncIn(PAUSE_MS);
  }

  // --- what happens outside

  /** The server is connected, and says who this is. */
  online(user: string): void {
    this.#online = true;
    if (user !== this.#user) {
      this.#user = user;
      this.#kept = this.#read(user);
      this.#syncedAt = null;
    }
    this.#outside.shelf.set(WHO, user);
    this.#takeFromDoor();
    if (this.#syncedAt === null || this.#kept.unsaved.size > 0) void this.sync();
  }

  offline(): void {
    this.#online = false;
    clearTimeout(this.#timer);
  }

  /** Nobody is logged in here any more. */
  loggedOut(): void {
    this.offline();
    this.#outside.shelf.remove(WHO);
    if (this.#user === null) return;
    this.#user = null;
    this.#kept = this.#read(null);
    this.#outside.changed(this.choices);
  }

  /** The page was hidden and is seen again. */
  shown(): void {
    if (this.#online && this.#syncedAt !== null && Date.now() - this.#syncedAt > STALE_MS) void this.sync();
  }

  /** Another tab has written `key`. */
  storageChanged(key: string | null): void {
    if (key !== null && key !== placeOf(this.#user)) return;
    this.#kept = this.#read(this.#user);
    this.#outside.changed(this.choices);
  }

  // --- with the account

  /** Writes what was chosen here, and takes over what was chosen elsewhere. */
  async sync(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    let mayTryAgain: boolean;
    do {
      this.#again = false;
      mayTryAgain = await this.#once().then(() => false, isPassing);
    } while (this.#again);
    this.#running = false;
    // Without a connection it stays unsaved until there is one.
    if (mayTryAgain && this.#online) this.#syncIn(RETRY_MS);
  }

  /** The server keeps one object: what others have put there meanwhile stays, key by key. */
  async #once(): Promise<void> {
    const user = this.#user;
    if (!this.#isOurs(user)) return;
    const theirs = await this.#outside.api.preferences();
    if (!this.#isOurs(user)) return;
    const { unsaved, offered, choices } = this.#kept;
    const mine = ACCOUNT_KEYS.filter((key) => unsaved.has(key) || (offered.has(key) && !Object.hasOwn(theirs, key)));
    const sent = pick(structuredClone(choices), mine);
    if (mine.length > 0) await this.#outside.api.setPreferences({ ...theirs, ...sent });
    if (user === this.#user) this.#saved({ ...theirs, ...sent }, sent);
  }

  /** The account has `theirs` now; of it, `sent` was written here. What changed meanwhile is for the next time. */
  #saved(theirs: Preferences, sent: Preferences): void {
    const { unsaved, offered, choices } = this.#kept;
    for (const key of ACCOUNT_KEYS) if (key in sent && JSON.stringify(sent[key]) === JSON.stringify(choices[key])) unsaved.delete(key);
    offered.clear();
    const said = choicesFrom(theirs);
    Object.assign(choices, pick(said, ACCOUNT_KEYS.filter((key) => !unsaved.has(key))));
    this.#syncedAt = Date.now();
    this.#write();
  }

  /** The session's cookie is the whole browser's: in another tab somebody else may have come in. */
  #isOurs(user: string | null): user is string {
    return user !== null && this.#online && user === this.#user && this.#outside.shelf.get(WHO) === user;
  }

  #syncIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.sync(), ms);
  }

  // --- in this browser

  /** What was chosen at the door goes with who comes in. */
  #takeFromDoor(): void {
    const door = this.#read(null);
    this.#outside.shelf.remove(AT_THE_DOOR);
    const taken = [...door.unsaved].filter((key) => !this.#kept.unsaved.has(key));
    for (const key of taken) this.#kept.offered.add(key);
    Object.assign(this.#kept.choices, pick(door.choices, taken));
    this.#write();
  }

  #read(user: string | null): Kept {
    const { unsaved, offered, ...choices } = asObject(this.#outside.shelf.get(placeOf(user)));
    return { choices: choicesFrom(choices), unsaved: keysIn(unsaved), offered: keysIn(offered) };
  }

  #write(): void {
    const { choices, unsaved, offered } = this.#kept;
    this.#outside.shelf.set(placeOf(this.#user), JSON.stringify({ ...choices, unsaved: [...unsaved], offered: [...offered] }));
    this.#outside.changed(choices);
  }
}

const isPassing = (error: unknown): boolean => !(error instanceof HubbubError) || error.retry || error.status === 0;

function asObject(text: string | null): Preferences {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Preferences) : {};
  } catch {
    return {};
  }
}

const keysIn = (value: unknown): Set<AccountKey> => new Set(Array.isArray(value) ? ACCOUNT_KEYS.filter((key) => value.includes(key)) : []);

function pick(choices: Choices, keys: readonly AccountKey[]): Preferences {
  return Object.fromEntries(keys.map((key) => [key, choices[key] as Preferences[string]]));
}
