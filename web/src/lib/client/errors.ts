// Every "no" of the server as one type; the codes are the table in docs/protocol.md, "Errors".

/** What else a refusal says, beside its code and its sentence. */
export interface ErrorDetails {
  /** The HTTP status; 0: no answer came, or the refusal came over the WebSocket. */
  status?: number;
  /** The same request may be tried again. */
  retry?: boolean;
  /** When, in seconds; null: not said. */
  retryAfter?: number | null;
  /** The field of the request that is wrong. */
  field?: string | null;
}

/**
 * A request was refused, or could not be made.
 *
 * `code` is the server's, or one of this library's own: `network` (no answer came), `bad_answer` (the answer is not
 * Hubbub's), `not_connected` (the connection was lost or is not there), `aborted`, `closed` (the room or the client was
 * closed), `left` (you are in the room no more). `message` is English, for people who have nothing better.
 */
export class HubbubError extends Error {
  override readonly name = 'HubbubError';
  readonly code: string;
  readonly status: number;
  readonly retry: boolean;
  readonly retryAfter: number | null;
  readonly field: string | null;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = code;
    this.status = details.status ?? 0;
    this.retry = details.retry ?? false;
    this.retryAfter = details.retryAfter ?? null;
    this.field = details.field ?? null;
  }
}

/** What was thrown, whatever it is. */
export function asError(error: unknown): HubbubError {
  return error instanceof HubbubError ? error : new HubbubError('internal', String(error));
}
