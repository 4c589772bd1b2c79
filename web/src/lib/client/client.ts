// The client of one user on one server. (Being written: this one never connects.)

import { createApi, type Api } from './api';
import type { Alert, Client, Connection, Me, Pending, RoomSummary, RoomView, Stretch } from './model';
import { browserPlatform, type Platform } from './platform';
import { Value } from './store';

export interface ClientOptions {
  /** Where the server is, such as `https://chat.example`; '' is where the page came from. */
  base?: string;
  /** A program's bearer token; a page has its cookie. */
  token?: string;
  api?: Api;
  platform?: Partial<Platform>;
}

export function createClient(options: ClientOptions = {}): Client {
  const platform: Platform = { ...browserPlatform(), ...options.platform };
  void (options.api ?? createApi({ base: options.base ?? '', fetch: platform.fetch }));
  return {
    connection: new Value<Connection>({ kind: 'connecting', since: platform.now() }),
    me: new Value<Me | null>(null),
    rooms: new Value<readonly RoomSummary[]>([]),
    limits: new Value<{ messageCharacters: number } | null>(null),
    start() {},
    stop() {},
    wake() {},
    open: () => emptyView(),
    onAlert: (_run: (alert: Alert) => void) => () => {},
    displayName: (name) => new Value(name),
  };
}

function emptyView(): RoomView {
  return {
    room: new Value<RoomSummary | null>(null),
    stretch: new Value<Stretch>({
      state: 'loading',
      error: null,
      items: [],
      hasEarlier: false,
      hasLater: false,
      newer: 0,
      firstUnread: null,
    }),
    pending: new Value<readonly Pending[]>([]),
    present: new Value({ names: [], count: 0 }),
    typing: new Value<readonly string[]>([]),
    loadEarlier: async () => {},
    loadLater: async () => {},
    loadAround: async () => {},
    loadEnd: async () => {},
    message: async () => null,
    send() {},
    edit: async () => {},
    delete: async () => {},
    react: async () => {},
    typed() {},
    markRead() {},
    retry() {},
    drop() {},
    close() {},
  };
}
