import { STATUS_CODES } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';

/** A request and its response. */
export type Exchange = Awaited<ReturnType<typeof send>>;

const EXIT_DETECTION_MS = 500;
const SHOWN_HEADERS =
  /^(content-type|location|preference-applied|www-authenticate|retry-after|ratelimit.*|x-request-id)$/;

/** @throws the reason of `signal` when it aborts, else an Error that says why there is no response */
export async function send(
  signal: AbortSignal,
  method: string,
  url: string,
  key?: string,
  json?: unknown,
  prefer?: string,
) {
  const headers: Record<string, string> = {
    ...(key && { authorization: `Bearer ${key}` }),
    ...(prefer && { prefer }),
  };
  if (json) headers['content-type'] = 'application/json';
  const start = performance.now();
  try {
    const response = await fetch(url, { method, headers, body: json ? JSON.stringify(json) : null, signal });
    const body = await response.text();
    const durationMs = Math.round(performance.now() - start);
    const status = `${response.status} ${STATUS_CODES[response.status]}`;
    const { pathname, search } = new URL(url);
    return { request: `${method} ${pathname}${search}`, status, headers: response.headers, body, durationMs };
  } catch (error) {
    // If a process has exited, its exit message explains more and arrives a moment later.
    await sleep(EXIT_DETECTION_MS, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
    // The message of fetch itself is only "fetch failed".
    const { message } = ((error as Error).cause ?? error) as Error;
    throw new Error(`no response to ${method} ${url}: ${message}`, { cause: error });
  }
}

/** Returns the lines that show an exchange, with colour if stdout is a terminal and NO_COLOR is not set. */
export function formatExchange({ request, status, headers, body, durationMs }: Exchange): string[] {
  const colour = status < '3' ? 'green' : status < '5' ? 'yellow' : 'red';
  const shown = [...headers].filter(([name]) => SHOWN_HEADERS.test(name));
  const text = body.startsWith('{') ? JSON.stringify(JSON.parse(body), null, 2) : body;
  return [
    styleText('bold', `→ ${request}`),
    `${styleText(['bold', colour], `← ${status}`)}  (${durationMs} ms)`,
    ...shown.map(([name, value]) => `  ${name}: ${value}`),
    ...text.split('\n').map((line) => `  ${line}`),
  ];
}
