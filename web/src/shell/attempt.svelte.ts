// Something that is tried once a click, and may be refused: busy, and what went wrong in words.
import { errorWords } from '../lib/i18n';

export class Attempt {
  busy = $state(false);
  /** The field that was found wrong, here or by the server. */
  field = $state<string | null>(null);
  // Not the words themselves: somebody may choose another language while they stand there.
  #words = $state.raw<(() => string) | null>(null);

  /** What went wrong; empty: nothing. */
  get error(): string {
    return this.#words?.() ?? '';
  }

  /** Says what is wrong with a field before the server has to. */
  refuse(field: string, words: () => string): void {
    this.field = field;
    this.#words = words;
  }

  /** Runs `what` unless it runs already. Whether it went well. `codes`: words for some refusals. */
  async run(what: () => Promise<unknown>, codes: Record<string, string> = {}): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.#words = null;
    this.field = null;
    try {
      await what();
      return true;
    } catch (error) {
      this.#words = () => errorWords(error, codes);
      this.field = (error as { field?: string | null }).field ?? null;
      return false;
    } finally {
      this.busy = false;
    }
  }
}
