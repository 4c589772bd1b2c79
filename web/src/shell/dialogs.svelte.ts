// Which dialog is open: one at a time.
import type { RoomView } from '../lib/client';

export type DialogKind =
  | { kind: 'jump' }
  | { kind: 'browse' }
  | { kind: 'new-room' }
  | { kind: 'new-direct' }
  | { kind: 'topic' | 'rename' | 'invite'; view: RoomView }
  | { kind: 'confirm'; title: string; words: string; button: string; danger: boolean; run: () => Promise<unknown> };

// Raw: a dialog holds a room's view, which must stay what it is.
let open = $state.raw<DialogKind | null>(null);

export const openedDialog = (): DialogKind | null => open;

export function openDialog(dialog: DialogKind): void {
  open = dialog;
}

export function closeDialog(): void {
  open = null;
}
