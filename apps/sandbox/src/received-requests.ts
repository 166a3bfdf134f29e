/** One request as it reached the sandbox. */
export interface ReceivedRequest {
  /** Milliseconds of the monotonic clock by which the quota is counted. */
  readonly receivedAtMs: number;
  /** ISO 8601, by the sandbox's own, possibly shifted clock. */
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
  /** Counts from 1 over both listeners: equal numbers shared one connection. */
  readonly connection: number;
  readonly tls: boolean;
  /** `OK`, a cloud error code, `http-404`, or `fault-<kind>`; absent until decided. */
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

/** The headers without what would let a reader of the record repeat the request. */
export function redactSignature(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { authorization, ...others } = headers;
  if (authorization === undefined) return others;
  const shown = /^(.*Signature=)/.exec(authorization)?.[1] ?? '';
  return { ...others, authorization: `${shown}[redacted]` };
}
