// When the connection's banner is there, and what it counts.
import type { Connection } from '../lib/client';

/** A lost connection that is back within this time is nobody's business. */
export const PATIENCE = 3000;

/** Null: no banner. `seconds`: until the next try; null: it is being tried now. Times in ms since 1970. */
export function bannerAt(connection: Connection, lostAt: number | null, now: number): { seconds: number | null } | null {
  if (connection.kind === 'online' || connection.kind === 'ended') return null;
  if (lostAt === null || now - lostAt < PATIENCE) return null;
  if (connection.kind === 'connecting' || connection.retryAt <= now) return { seconds: null };
  return { seconds: Math.ceil((connection.retryAt - now) / 1000) };
}
