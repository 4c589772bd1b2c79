// The rooms that this client knows, by their names.

import { keyOf } from './names';
import type { Room } from './room';

export class Directory {
  readonly #rooms = new Map<string, Room>();

  /** All of them, as they are now: some may go while they are looked at. */
  get all(): Room[] {
    return [...this.#rooms.values()];
  }

  /** The room whose name is exactly this. */
  get(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  /** The room of this name, in whatever case and form. */
  find(name: string): Room | null {
    const exact = this.#rooms.get(name);
    if (exact !== undefined) return exact;
    const key = keyOf(name);
    return this.all.find((room) => keyOf(room.name) === key) ?? null;
  }

  /** The direct room of exactly these people, one of whom is `me`. */
  directWith(names: readonly string[], me: string): Room | null {
    const wanted = new Set([...names.map((name) => keyOf(name.trim())), keyOf(me)]);
    const isIt = (room: Room) =>
      room.kind === 'direct' && room.others.length === wanted.size - 1 && room.others.every((name) => wanted.has(keyOf(name)));
    return this.all.find(isIt) ?? null;
  }

  /** The room is the one of its name from now on. */
  put(room: Room): void {
    this.#rooms.set(room.name, room);
  }

  /** Unless another has this name by now. */
  drop(room: Room, name = room.name): void {
    if (this.#rooms.get(name) === room) this.#rooms.delete(name);
  }
}
