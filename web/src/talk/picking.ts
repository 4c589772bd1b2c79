// Where the emoji picker opens, and how arrow keys move in its grids.

interface Rect {
  top: number;
  bottom: number;
  right: number;
}

const GAP = 8;

/** Above what it belongs to, or below where there is no place, and never beyond the window. */
export function beside(near: Rect, size: { width: number; height: number }, window: { width: number; height: number }): { top: number; left: number } {
  const above = near.top - size.height - GAP;
  const top = above >= GAP ? above : near.bottom + GAP;
  return {
    top: Math.max(GAP, Math.min(top, window.height - size.height - GAP)),
    left: Math.max(GAP, Math.min(near.right - size.width, window.width - size.width - GAP)),
  };
}

/** The index of the emoji that a key leads to; -1: back to the search; null: the key is for something else. */
export function inGrid(event: Pick<KeyboardEvent, 'key' | 'target'>, grid: HTMLElement, current: number): number | null {
  const all = [...grid.querySelectorAll<HTMLElement>('[data-emoji]')];
  if (!(event.target instanceof HTMLElement) || !all.includes(event.target)) return null;
  switch (event.key) {
    case 'ArrowRight':
      return Math.min(current + 1, all.length - 1);
    case 'ArrowLeft':
      return Math.max(current - 1, 0);
    case 'Home':
      return 0;
    case 'End':
      return all.length - 1;
    case 'ArrowDown':
    case 'ArrowUp':
      return inColumn(all, current, event.key === 'ArrowDown' ? 1 : -1);
    default:
      return null;
  }
}

/** The nearest in the next line, by where they lie: the two grids need not be alike. */
function inColumn(all: readonly HTMLElement[], current: number, way: 1 | -1): number {
  const from = all[current]?.getBoundingClientRect();
  if (!from) return 0;
  let best = way === 1 ? current : -1;
  let bestTop: number | null = null;
  for (let index = current + way; index >= 0 && index < all.length; index += way) {
    const at = all[index]?.getBoundingClientRect();
    if (!at || Math.abs(at.top - from.top) < 2) continue;
    if (bestTop !== null && Math.abs(at.top - bestTop) > 2) break;
    bestTop = at.top;
    const old = all[best]?.getBoundingClientRect();
    if (best === current || best === -1 || !old || Math.abs(at.left - from.left) < Math.abs(old.left - from.left)) best = index;
  }
  return best;
}
