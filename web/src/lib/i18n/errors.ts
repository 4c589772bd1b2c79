// What went wrong, in words for a person: by the code, never by the server's English sentence if we know better.
import { HubbubError } from '../client';
import { formatWait } from './format';
import { t, tOr } from './index';

/** A sentence about an error that was thrown, or one that a store holds. `codes`: other words for some codes here. */
export function errorWords(error: unknown, codes: Record<string, string> = {}): string {
  const known = error as { code?: unknown; message?: unknown; retryAfter?: unknown } | null;
  if (typeof known?.code !== 'string') return t('common.error_unknown');
  const own = codes[known.code];
  if (own !== undefined) return own;
  if (known.code === 'rate_limited' && typeof known.retryAfter === 'number') {
    return t('common.error_rate_limited_wait', { wait: formatWait(known.retryAfter) });
  }
  const said = typeof known.message === 'string' && known.message ? known.message : t('common.error_unknown');
  return tOr(`common.error_${known.code}`, said);
}

/** Whether it was refused with this code. */
export const isCode = (error: unknown, code: string): boolean => error instanceof HubbubError && error.code === code;
