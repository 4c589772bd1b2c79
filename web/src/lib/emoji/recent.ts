// The emoji that somebody used last, in this browser.

const KEPT = 'hubbub.emoji';
const MOST = 24;
const FIRST = ['👍', '❤️', '😄', '🎉', '👀', '🙏'];

export function recentEmoji(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '[]');
    return Array.isArray(kept) ? kept.filter((emoji): emoji is string => typeof emoji === 'string' && emoji.length <= 32).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

export function noteEmoji(emoji: string): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify([emoji, ...recentEmoji().filter((other) => other !== emoji)].slice(0, MOST)));
  } catch {
    // Storage is full or forbidden: nothing is remembered.
  }
}

/** Those offered on a message: used lately, then the usual ones. */
export function quickReactions(count: number): string[] {
  return [...new Set([...recentEmoji(), ...FIRST])].slice(0, count);
}
