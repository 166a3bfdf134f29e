/** One request as it reached the sandbox. */
export interface Arrival {
  /** Milliseconds of the monotonic clock by which the quota is counted. */
  readonly at: number;
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
  answerCode?: string;
}

const KEPT = 10_000;

/** The latest requests, oldest first. */
export class Arrivals {
  #list: Arrival[] = [];

  add(arrival: Arrival): void {
    this.#list.push(arrival);
    if (this.#list.length > KEPT) this.#list.shift();
  }

  list(): Arrival[] {
    return [...this.#list];
  }

  clear(): void {
    this.#list = [];
  }
}

/** The headers without what would let a reader of the record repeat the request. */
export function redacted(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { authorization, ...others } = headers;
  if (authorization === undefined) return others;
  const shown = /^(.*Signature=)/.exec(authorization)?.[1] ?? '';
  return { ...others, authorization: `${shown}[redacted]` };
}
