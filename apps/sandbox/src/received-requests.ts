/** One request as the sandbox received it. */
export interface ReceivedRequest {
  /** Monotonic clock, in milliseconds; the quota is counted by this clock. */
  readonly receivedAtMs: number;
  /** ISO 8601, by the sandbox's clock, which may be shifted. */
  readonly time: string;
  readonly method: string;
  readonly path: string;
  /** Names in lower case; the signature in `authorization` is redacted. */
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: string;
  readonly action: string | undefined;
  readonly region: string | undefined;
  readonly sdkAppId: unknown;
  readonly taskId: unknown;
  /** Numbered from 1 over both listeners: requests with the same number shared a connection. */
  readonly connection: number;
  readonly tls: boolean;
  /** `OK`, a cloud error code, `http-404`, or `fault-<kind>`; undefined until decided. */
  responseCode?: string;
}

const MAX_RECORDED = 10_000;

/** The latest requests, oldest first. */
export class ReceivedRequests {
  #list: ReceivedRequest[] = [];

  add(request: ReceivedRequest): void {
    this.#list.push(request);
    if (this.#list.length > MAX_RECORDED) this.#list.shift();
  }

  list(): ReceivedRequest[] {
    return [...this.#list];
  }

  clear(): void {
    this.#list = [];
  }
}

/** Removes the signature, so that a reader cannot replay a recorded request. */
export function redactSignature(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { authorization, ...others } = headers;
  if (authorization === undefined) return others;
  const shown = /^(.*Signature=)/.exec(authorization)?.[1] ?? '';
  return { ...others, authorization: `${shown}[redacted]` };
}
