// Where the outbox is kept: IndexedDB, or memory where that is not there.

import { wrap, type DBSchema, type IDBPDatabase } from 'idb';
import type { Kept } from './kept';

export interface Lease {
  /** Which user's outbox on which server. */
  name: string;
  /** Who may send. */
  holder: string;
  /** Until when, ms since 1970. */
  until: number;
}

export interface OutboxStore {
  all(user: string): Promise<Kept[]>;
  put(item: Kept): Promise<void>;
  delete(id: string): Promise<void>;
  /** Take or renew the lease, unless somebody else has it; says who has it then. */
  lease(wanted: Lease, now: number): Promise<Lease>;
  release(name: string, holder: string): Promise<void>;
}

interface Schema extends DBSchema {
  outbox: { key: string; value: Kept; indexes: { user: string } };
  leases: { key: string; value: Lease };
}

/** In IndexedDB; in memory if that can't be opened. */
export async function openStore(factory: IDBFactory | null): Promise<OutboxStore> {
  if (factory === null) return memoryStore();
  try {
    return indexedStore(await openDatabase(factory));
  } catch {
    return memoryStore();
  }
}

async function openDatabase(factory: IDBFactory): Promise<IDBPDatabase<Schema>> {
  const request = factory.open('hubbub-outbox', 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('outbox', { keyPath: 'id' }).createIndex('user', 'user');
    request.result.createObjectStore('leases', { keyPath: 'name' });
  };
  const database = (await wrap(request)) as unknown as IDBPDatabase<Schema>;
  database.onversionchange = () => database.close();
  return database;
}

function indexedStore(database: IDBPDatabase<Schema>): OutboxStore {
  return {
    all: (user) => database.getAllFromIndex('outbox', 'user', user),
    put: async (item) => void (await database.put('outbox', item)),
    delete: (id) => database.delete('outbox', id),
    lease: async (wanted, now) => {
      const transaction = database.transaction('leases', 'readwrite');
      const held = await transaction.store.get(wanted.name);
      const taken = takes(held, wanted, now);
      if (taken) await transaction.store.put(wanted);
      await transaction.done;
      return taken ? wanted : (held as Lease);
    },
    release: async (name, holder) => {
      const transaction = database.transaction('leases', 'readwrite');
      const held = await transaction.store.get(name);
      if (held?.holder === holder) await transaction.store.delete(name);
      await transaction.done;
    },
  };
}

export function memoryStore(): OutboxStore {
  const kept = new Map<string, Kept>();
  const leases = new Map<string, Lease>();
  return {
    all: async (user) => [...kept.values()].filter((item) => item.user === user),
    put: async (item) => void kept.set(item.id, item),
    delete: async (id) => void kept.delete(id),
    lease: async (wanted, now) => {
      const held = leases.get(wanted.name);
      if (!takes(held, wanted, now)) return held as Lease;
      leases.set(wanted.name, wanted);
      return wanted;
    },
    release: async (name, holder) => {
      if (leases.get(name)?.holder === holder) leases.delete(name);
    },
  };
}

function takes(held: Lease | undefined, wanted: Lease, now: number): boolean {
  // A lease from far ahead was written by a clock that was wrong.
  const over = held === undefined || held.until <= now || held.until > now + 10 * (wanted.until - now);
  return over || held.holder === wanted.holder;
}
