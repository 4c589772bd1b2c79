// Asking the server which rooms there are: by a name, new ones, and those that have another name now.

import type { Api } from './api';
import type { Directory } from './directory';
import { HubbubError } from './errors';
import type { Platform } from './platform';
import type { Room } from './room';

const AGAIN_MS = 2_000;
const REFRESH_MS = 300;

export interface LookupAround {
  readonly me: string;
  readonly online: boolean;
  /** The room of this name, made if it was not known. */
  roomOf(name: string): Room;
  /** It is to be entered once, to know what is in it; or no more. */
  isNews(name: string, news: boolean): void;
  remove(room: Room, why: HubbubError): void;
  reconcile(): void;
}

export class Lookup {
  readonly #platform: Platform;
  readonly #api: Api;
  readonly #rooms: Directory;
  readonly #around: LookupAround;
  #refreshing = false;

  constructor(platform: Platform, api: Api, rooms: Directory, around: LookupAround) {
    this.#platform = platform;
    this.#api = api;
    this.#rooms = rooms;
    this.#around = around;
  }

  /** The room of any of its names, as the server knows it; throws `HubbubError`. Nothing is joined by it. */
  async resolve(name: string): Promise<Room> {
    const people = name.startsWith('@') ? name.slice(1).split(',') : null;
    const known = this.#rooms.find(name) ?? (people === null ? null : this.#rooms.directWith(people, this.#around.me));
    if (known !== null && known.refusal === null) return known;
    const found = people === null ? await this.#api.room(name) : await this.#api.directRoom(people);
    const room = this.#around.roomOf(found.room);
    if (!room.member) {
      room.kind = found.kind;
      room.topic = found.topic;
      room.archived = found.archived;
    }
    room.refusal = null;
    return room;
  }

  /** A room that the server's list does not name: it has another name now, or one is no member any more. */
  async lookFor(room: Room): Promise<void> {
    try {
      const found = await this.#api.room(room.name);
      if (found.member) {
        room.refusal = null;
        room.rename(found.room);
      } else this.#around.remove(room, left());
    } catch (error) {
      if (error instanceof HubbubError && error.status === 404) this.#around.remove(room, left());
      else if (this.#around.online) this.#platform.setTimeout(() => void this.lookFor(room), AGAIN_MS);
    }
    this.#around.reconcile();
  }

  /** Before long, see which rooms one belongs to. */
  refresh(): void {
    if (this.#refreshing) return;
    this.#refreshing = true;
    this.#platform.setTimeout(() => void this.#readList(), REFRESH_MS);
  }

  async #readList(): Promise<void> {
    this.#refreshing = false;
    try {
      const mine = (await this.#api.rooms()).filter((room) => room.member);
      const names = new Set(mine.map((room) => room.room));
      for (const room of this.#rooms.all) if (room.member && !names.has(room.name)) await this.lookFor(room);
      for (const found of mine) {
        const room = this.#around.roomOf(found.room);
        if (!room.member) room.kind = found.kind;
        this.#around.isNews(found.room, !room.member);
      }
    } catch {
      // The next news of the room tries again.
    }
    this.#around.reconcile();
  }
}

export function left(): HubbubError {
  return new HubbubError('left', 'You are in this room no more.');
}
