// Which room is open, so that a new name for it is no other room: what is being typed in it stays.

let name: string | null = null;
let key = 0;

/** Changes when another room is wanted, and only then. */
export function roomKey(wanted: string): number {
  if (wanted !== name) {
    name = wanted;
    key += 1;
  }
  return key;
}

/** The open room has another name now. */
export function roomRenamed(to: string): void {
  name = to;
}
