// Something that is tried once a click, and may be refused: busy, and what went wrong in words.
import { errorWords } from '../lib/i18n';

export class Attempt {
  busy = $state(false);
  error = $state('');
  /** The field that the server found wrong. */
  field = $state<string | null>(null);

  /** Runs `what` unless it runs already. Whether it went well. `codes`: words for some refusals. */
  async run(what: () => Promise<unknown>, codes: Record<string, string> = {}): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.error = '';
    this.field = null;
    try {
      await what();
      return true;
    } catch (error) {
      this.error = errorWords(error, codes);
      this.field = (error as { field?: string | null }).field ?? null;
      return false;
    } finally {
      this.busy = false;
    }
  }
}
