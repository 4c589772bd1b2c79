// One connection at a time, that comes back by itself. What goes over it is somebody else's business.

import type { Api } from './api';
import { backoff, restartDelay } from './backoff';
import { HubbubError } from './errors';
import type { Connection } from './model';
import type { Platform, Sign, Socket, Timer } from './platform';
import { Value } from './store';
import { SUBPROTOCOL, TICKET_PREFIX, type ClientEvent, type ServerEvent, type Welcome } from './wire';

/** Time for a ticket, for the handshake and for `welcome` together. */
const ATTEMPT_MS = 15_000;
/** A connection that was lost sooner than this counts as a try that failed. */
const STEADY_MS = 5_000;
const TICK_MS = 5_000;
/** A timer that is so late says that the machine has slept. */
const SLEPT_MS = 10_000;
/** The browser hides the server's pings: after so long without a word the connection is probed. */
const QUIET_MS = 25_000;
const PROBE_MS = 3_000;
const RESTARTING = 1012;
/** Also said to whoever got another role: their session holds. */
const SESSION_ENDED = 4401;
/** No room can have this name, so leaving it is refused at once, and changes nothing: a ping that a page may send. */
const NOWHERE = '~';

export interface ConnectionEvents {
  welcomed(welcome: Welcome): void;
  event(event: ServerEvent): void;
  /** Also when it ended; not before `welcomed`. */
  lost(): void;
}

/** A try to connect and the connection that it becomes. Whatever comes of an older one is not heard. */
interface Attempt {
  readonly ended: AbortController;
  socket: Socket | null;
  welcomedAt: number | null;
  heardAt: number;
  probe: Timer | null;
}

type Why = Extract<Connection, { kind: 'waiting' }>['why'];

export class Connector {
  readonly state: Value<Connection>;
  readonly #platform: Platform;
  readonly #api: Api;
  readonly #url: () => string;
  readonly #events: ConnectionEvents;
  #attempt: Attempt | null = null;
  #timer: Timer | null = null;
  #tick: Timer | null = null;
  #tickDue = 0;
  #tries = 0;
  #lostAt: number | null = null;
  #everWelcomed = false;
  #endSigns: (() => void) | null = null;

  constructor(platform: Platform, api: Api, url: () => string, events: ConnectionEvents) {
    this.#platform = platform;
    this.#api = api;
    this.#url = url;
    this.#events = events;
    this.state = new Value<Connection>({ kind: 'connecting', since: platform.now() });
  }

  get online(): boolean {
    return this.#attempt !== null && this.#attempt.welcomedAt !== null;
  }

  start(): void {
    if (this.#endSigns !== null) return;
    this.#endSigns = this.#platform.onSign((sign) => this.#onSign(sign));
    this.#tries = 0;
    this.#lostAt = null;
    this.#nextTick();
    this.#connect();
  }

  /** Close, and stay away until `start`. */
  stop(): void {
    if (this.#endSigns === null) return;
    this.#end(this.#everWelcomed ? 'logged_out' : 'never_logged_in');
  }

  /** Try now if it waits; else make sure that the connection is alive. */
  wake(): void {
    if (this.#endSigns === null) return;
    if (this.state.get().kind === 'waiting') this.#connect();
    else this.#probe();
  }

  /** False: there is no connection. An event that was sent may still be lost with it. */
  send(event: ClientEvent): boolean {
    const attempt = this.#attempt;
    if (attempt?.socket == null || attempt.welcomedAt === null || attempt.socket.readyState !== 1) return false;
    attempt.socket.send(JSON.stringify(event));
    return true;
  }

  // --- connecting

  #connect(): void {
    this.#drop();
    const attempt: Attempt = {
      ended: new AbortController(),
      socket: null,
      welcomedAt: null,
      heardAt: this.#platform.now(),
      probe: null,
    };
    this.#attempt = attempt;
    this.state.set({ kind: 'connecting', since: this.#lostAt ?? this.#platform.now() });
    this.#timer = this.#platform.setTimeout(() => this.#lose('lost'), ATTEMPT_MS);
    this.#api.ticket(attempt.ended.signal).then(
      (ticket) => {
        if (attempt === this.#attempt) this.#open(attempt, ticket.otp);
      },
      (error: unknown) => {
        if (attempt === this.#attempt) this.#refused(error);
      },
    );
  }

  #refused(error: unknown): void {
    const known = error instanceof HubbubError ? error : null;
    if (known?.status === 401) this.#end(this.#everWelcomed ? 'logged_out' : 'never_logged_in');
    else if (known !== null && (known.status === 429 || known.status === 503)) this.#lose('busy', (known.retryAfter ?? 0) * 1_000);
    else this.#lose('lost');
  }

  #open(attempt: Attempt, otp: string): void {
    let socket: Socket;
    try {
      socket = this.#platform.connect(this.#url(), [SUBPROTOCOL, TICKET_PREFIX + otp]);
    } catch {
      this.#lose('lost');
      return;
    }
    attempt.socket = socket;
    socket.onmessage = ({ data }) => {
      if (attempt === this.#attempt) this.#heard(attempt, data);
    };
    socket.onclose = ({ code, reason }) => {
      if (attempt === this.#attempt) this.#closed(code, reason);
    };
  }

  #heard(attempt: Attempt, data: unknown): void {
    attempt.heardAt = this.#platform.now();
    this.#clearProbe(attempt);
    const event = parsed(data);
    if (event === null) return;
    if (event.type === 'welcome') this.#welcomed(attempt, event.payload);
    else if (attempt.welcomedAt !== null && !isProbe(event)) this.#events.event(event);
  }

  #welcomed(attempt: Attempt, welcome: Welcome): void {
    if (attempt.welcomedAt !== null) return;
    attempt.welcomedAt = this.#platform.now();
    this.#clearTimer();
    this.#lostAt = null;
    this.#everWelcomed = true;
    this.#events.welcomed(welcome);
    if (attempt === this.#attempt) this.state.set({ kind: 'online' });
  }

  // --- losing it

  #closed(code: number, reason: string): void {
    if (code === SESSION_ENDED) this.#askAgain();
    else if (code >= 4400 && code < 4500) this.#end('logged_out');
    else if (code === RESTARTING) this.#lose('restarting', restartDelay(reason));
    else this.#lose('lost');
  }

  /** A ticket, or a 401, tells whether the way in has ended. At once, unless it was asked just now. */
  #askAgain(): void {
    const since = this.#attempt?.welcomedAt ?? null;
    const steady = since !== null && this.#platform.now() - since >= STEADY_MS;
    this.#lose('lost', steady || this.#tries === 0 ? 0 : null);
  }

  /** Come back after `delay`, or as late as back-off says if that is later; null: back-off. */
  #lose(why: Why, delay: number | null = null): void {
    const steadySince = this.#attempt?.welcomedAt ?? null;
    const now = this.#platform.now();
    // A restart is no failure, however soon it came.
    if (steadySince !== null && (now - steadySince >= STEADY_MS || why === 'restarting')) this.#tries = 0;
    this.#drop();
    this.#lostAt ??= now;
    const own = backoff(this.#tries++, this.#platform.random());
    const wait = delay === null ? own : why === 'busy' ? delay + own : delay;
    const known = why === 'lost' && !this.#platform.isOnline() ? 'offline' : why;
    this.state.set({ kind: 'waiting', why: known, lostAt: this.#lostAt, retryAt: now + wait });
    this.#timer = this.#platform.setTimeout(() => this.#connect(), wait);
    if (steadySince !== null) this.#events.lost();
  }

  #end(why: 'logged_out' | 'never_logged_in'): void {
    const wasOnline = this.online;
    this.#drop();
    this.#endSigns?.();
    this.#endSigns = null;
    this.#platform.clearTimeout(this.#tick);
    this.#everWelcomed = false;
    this.state.set({ kind: 'ended', why });
    if (wasOnline) this.#events.lost();
  }

  /** Forget the attempt: nothing of it is heard any more. */
  #drop(): void {
    this.#clearTimer();
    const attempt = this.#attempt;
    if (attempt === null) return;
    this.#attempt = null;
    this.#clearProbe(attempt);
    attempt.ended.abort();
    const { socket } = attempt;
    if (socket === null) return;
    socket.onmessage = socket.onclose = socket.onopen = socket.onerror = null;
    socket.close(1000);
  }

  // --- staying alive

  #onSign(sign: Sign): void {
    const state = this.state.get();
    if (sign === 'offline') {
      // The connection may outlive it, but not for long, and what is written now should be seen to wait.
      if (state.kind !== 'waiting') this.#lose('offline');
    } else if (sign === 'online' || sign === 'shown') {
      if (state.kind !== 'waiting') this.#probe();
      else if (state.why === 'lost' || state.why === 'offline') this.#connect();
    }
  }

  #nextTick(): void {
    this.#tickDue = this.#platform.now() + TICK_MS;
    this.#tick = this.#platform.setTimeout(() => this.#onTick(), TICK_MS);
  }

  #onTick(): void {
    const now = this.#platform.now();
    const slept = now - this.#tickDue > SLEPT_MS;
    this.#nextTick();
    const state = this.state.get();
    if (state.kind === 'waiting' && now > state.retryAt + SLEPT_MS) this.#connect();
    else if (this.#attempt !== null && (slept || now - this.#attempt.heardAt >= QUIET_MS)) this.#probe();
  }

  /** Ask for an answer; without one it counts as lost. */
  #probe(): void {
    const attempt = this.#attempt;
    if (attempt === null || attempt.welcomedAt === null || attempt.probe !== null) return;
    this.send({ type: 'exit', ref: NOWHERE, payload: { room: NOWHERE } });
    attempt.probe = this.#platform.setTimeout(() => {
      if (attempt === this.#attempt) this.#lose('lost');
    }, PROBE_MS);
  }

  #clearProbe(attempt: Attempt): void {
    if (attempt.probe !== null) this.#platform.clearTimeout(attempt.probe);
    attempt.probe = null;
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#platform.clearTimeout(this.#timer);
    this.#timer = null;
  }
}


function parsed(data: unknown): ServerEvent | null {
  if (typeof data !== 'string') return null;
  try {
    const event = JSON.parse(data) as Partial<ServerEvent> | null;
    const isEvent = typeof event?.type === 'string' && typeof event.payload === 'object' && event.payload !== null;
    return isEvent ? (event as ServerEvent) : null;
  } catch {
    return null;
  }
}

function isProbe(event: ServerEvent): boolean {
  return event.ref === NOWHERE;
}
