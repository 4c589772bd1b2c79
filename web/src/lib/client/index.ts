// The client library: what a page, or another program, imports.

export { createClient, type ClientOptions } from './client';
export { HubbubError, type ErrorDetails } from './errors';
export * from './api';
export * from './model';
export { WINDOW } from './stretch';
export type { Platform } from './platform';
export type { RequestOptions } from './http';
