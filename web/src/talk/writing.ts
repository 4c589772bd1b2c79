// Small questions about what is being written.

/** Whether a key belongs to an input method, whose Enter takes a word over and sends nothing. */
export function isComposing(event: Pick<KeyboardEvent, 'isComposing' | 'keyCode'>): boolean {
  // Safari ends the composition before the key's event, and only 229 tells.
  return event.isComposing || event.keyCode === 229;
}

/** How many characters may still be written, as the server counts them; Infinity: any number. */
export function charactersLeft(text: string, most: number): number {
  if (most === 0) return Infinity;
  // Counting by code points takes a while, and can only make it fewer.
  return text.length <= most / 2 ? most - text.length : most - [...text].length;
}
