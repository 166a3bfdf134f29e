import { STATUS_CODES } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** One request and what came back. */
export interface Exchange {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
  readonly body: string;
  readonly tookMs: number;
}

export interface RequestOptions {
  readonly json?: unknown;
  readonly signal: AbortSignal;
}

const MOURNING_MS = 500;

/** @throws the signal's reason when it is aborted, else an error that says in one line why no answer came */
export async function exchange(
  method: string,
  origin: string,
  target: string,
  { json, signal }: RequestOptions,
): Promise<Exchange> {
  const startedAt = performance.now();
  try {
    const answer = await fetch(origin + target, {
      method,
      signal,
      ...(json !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(json),
      }),
    });
    const body = await answer.text();
    const tookMs = performance.now() - startedAt;
    const { status, headers } = answer;
    return { method, target, status, reason: STATUS_CODES[status] ?? '', headers, body, tookMs };
  } catch (error) {
    // That a program died is the better reason, and known a moment later.
    await sleep(MOURNING_MS, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
    // fetch itself says no more than that it failed.
    const { cause = error } = error as Error;
    const why = (cause as Error).message;
    throw new Error(`no answer to ${method} ${origin}${target}: ${why}`, { cause: error });
  }
}
