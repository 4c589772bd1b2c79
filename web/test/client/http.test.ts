import { describe, expect, it } from 'vitest';
import { createApi, HubbubError } from '../../src/lib/client';

interface Asked {
  method: string;
  url: string;
  body: unknown;
  headers: Record<string, string>;
}

/** An API whose server answers so, and what it was asked. */
function answering(status: number, body: string, headers: Record<string, string> = {}) {
  const asked: Asked[] = [];
  const fetch = async (url: unknown, init: RequestInit = {}) => {
    asked.push({
      method: init.method ?? '',
      url: String(url),
      body: init.body === undefined ? undefined : JSON.parse(String(init.body)),
      headers: init.headers as Record<string, string>,
    });
    return new Response(status === 204 ? null : body, { status, headers });
  };
  return { api: createApi({ base: 'http://fake', fetch: fetch as typeof globalThis.fetch }), asked };
}

async function failure(promise: Promise<unknown>): Promise<HubbubError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof HubbubError)) throw new Error(`no HubbubError: ${String(error)}`);
  return error;
}

describe('a request', () => {
  it('sends JSON and reads JSON', async () => {
    const { api, asked } = answering(200, '{"otp":"T"}');
    expect(await api.login('ada', 'secret')).toEqual({ otp: 'T' });
    expect(asked).toMatchObject([{ method: 'POST', url: 'http://fake/login', body: { username: 'ada', password: 'secret' } }]);
  });

  it('encodes names in paths and queries', async () => {
    const { api, asked } = answering(200, '{"room":"x","head":0,"more":false,"messages":[]}');
    await api.history('tea & cake/✓', { before: 7 });
    await api.peopleNamed(['ada', 'bo&b']).catch(() => {});
    expect(asked.map(({ url }) => url)).toEqual(['http://fake/api/rooms/tea%20%26%20cake%2F%E2%9C%93/messages?before=7', 'http://fake/api/people?names=ada%2Cbo%26b']);
  });

  it('reads times, and what has another name here', async () => {
    const { api } = answering(200, '{"sessions":[{"id":1,"current":true,"created":"2026-03-01T09:00:00Z","seen":"2026-03-01T09:00:01Z","expires":"2026-03-02T09:00:00Z","address":"::1","agent":"x"}]}');
    const [session] = await api.sessions();
    expect(session).toEqual({ id: 1, current: true, created: 1772355600000, seen: 1772355601000, expires: 1772442000000, address: '::1', agent: 'x' });
  });

  it('gives what was found as messages', async () => {
    const message = { room: 'general', seq: 3, id: 'i', from: 'ada', message: 'hello', sent: '2026-03-01T09:00:00Z' };
    const { api, asked } = answering(200, JSON.stringify({ results: [{ message, snippet: 'hello', matches: [[0, 5]] }], more: true, next: 99 }));
    const page = await api.search('hello', { zone: 480, limit: 30 });
    expect(page).toMatchObject({ more: true, next: 99, results: [{ room: 'general', seq: 3, text: 'hello', snippet: 'hello', matches: [[0, 5]] }] });
    expect(asked[0]?.url).toBe('http://fake/api/search?q=hello&zone=480&limit=30');
  });

  it('answers nothing where there is nothing to say', async () => {
    const { api } = answering(204, '');
    expect(await api.leaveRoom('general')).toBeUndefined();
  });

  it('carries a bearer token where there is one', async () => {
    const { asked } = answering(200, '{}');
    const fetch = async (_url: unknown, init: RequestInit = {}) => {
      asked.push({ method: '', url: '', body: null, headers: init.headers as Record<string, string> });
      return new Response('{"name":"a","display_name":"A","role":"bot"}');
    };
    await createApi({ token: 'T', fetch: fetch as typeof globalThis.fetch }).me();
    expect(asked[0]?.headers.authorization).toBe('Bearer T');
  });
});

describe('a refusal', () => {
  it('has the server’s code, sentence, field and delay', async () => {
    const { api } = answering(429, '{"code":"rate_limited","message":"Too fast.","retry":true,"retry_after":2.5,"field":"name"}', { 'retry-after': '3' });
    expect(await failure(api.me())).toMatchObject({ code: 'rate_limited', message: 'Too fast.', status: 429, retry: true, retryAfter: 2.5, field: 'name' });
  });

  it('of a proxy has its status and its delay', async () => {
    const { api } = answering(503, '<html>', { 'retry-after': '3' });
    expect(await failure(api.me())).toMatchObject({ code: 'bad_answer', status: 503, retry: true, retryAfter: 3 });
  });

  it('is an answer that is none of Hubbub’s', async () => {
    const { api } = answering(200, '<html>a captive portal</html>');
    expect(await failure(api.me())).toMatchObject({ code: 'bad_answer', status: 200 });
  });

  it('is no answer at all, or a request that was given up', async () => {
    const fetch = async () => {
      throw new TypeError('network');
    };
    const api = createApi({ fetch: fetch as unknown as typeof globalThis.fetch });
    expect(await failure(api.me())).toMatchObject({ code: 'network', status: 0, retry: true });
    const ended = new AbortController();
    ended.abort();
    expect(await failure(api.me(ended.signal))).toMatchObject({ code: 'aborted', retry: false });
  });
});
