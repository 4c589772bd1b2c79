// One HTTP request to the server: JSON there and back, and a `HubbubError` for every "no".

import { HubbubError } from './errors';

export interface RequestOptions {
  /** Where the server is, such as `https://chat.example`; '' is where the page came from. */
  base?: string;
  fetch?: typeof fetch;
  /** A program's bearer token; a page has its cookie. */
  token?: string;
}

export type Request = <T>(method: string, path: string, body?: unknown, signal?: AbortSignal) => Promise<T>;

export function createRequest({ base = '', fetch: fetcher, token }: RequestOptions): Request {
  return async <T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> => {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    let response: Response;
    let text: string;
    try {
      response = await (fetcher ?? globalThis.fetch)(base + path, {
        method,
        headers,
        credentials: 'same-origin',
        cache: 'no-store',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
      text = await response.text();
    } catch {
      if (signal?.aborted) throw new HubbubError('aborted', 'The request was given up.');
      throw new HubbubError('network', 'The server does not answer.', { retry: true });
    }
    if (!response.ok) throw refusal(response, text);
    if (text === '') return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new HubbubError('bad_answer', 'This is not an answer of Hubbub.', { status: response.status });
    }
  };
}

/** `path` with a query of what is defined and not empty. */
export function addressOf(path: string, query: { [name: string]: string | number | boolean | undefined }): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** What an answer that is not 2xx says; a proxy in between answers with anything. */
function refusal(response: Response, text: string): HubbubError {
  const said = refusalBody(text);
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfter = typeof said?.retry_after === 'number' ? said.retry_after : Number.isFinite(seconds) ? seconds : null;
  const status = response.status;
  if (typeof said?.code !== 'string' || typeof said.message !== 'string') {
    const retry = status === 429 || status >= 502;
    return new HubbubError('bad_answer', `The server answered ${status}.`, { status, retry, retryAfter });
  }
  const field = typeof said.field === 'string' ? said.field : null;
  return new HubbubError(said.code, said.message, { status, retry: said.retry === true, retryAfter, field });
}

function refusalBody(text: string): { [key: string]: unknown } | null {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as { [key: string]: unknown }) : null;
  } catch {
    return null;
  }
}
