/** The part of the response at which the connection breaks. */
export type BreakPoint = 'before-headers' | 'in-headers' | 'in-body';

/** One failure that the sandbox can inject. */
export type Fault =
  /** A cloud error with HTTP status 200, as the cloud sends nearly all of them. */
  | { readonly kind: 'error'; readonly code: string; readonly message?: string }
  /** An HTTP status from the edge proxy, with an HTML page by default. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
      readonly contentType?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** HTTP 200 with exactly this body; `bodyBase64`, for binary data, takes precedence. */
  | {
      readonly kind: 'body';
      readonly body?: string;
      readonly bodyBase64?: string;
      readonly contentType?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection stays open and nothing is sent. */
  | { readonly kind: 'no-response' }
  /** RST. */
  | { readonly kind: 'reset'; readonly at: BreakPoint }
  /** FIN. */
  | { readonly kind: 'close'; readonly at: BreakPoint }
  /** Fewer bytes than Content-Length announces, then FIN. */
  | { readonly kind: 'short-body' }
  /** The normal response, with this part sent one byte at a time. */
  | { readonly kind: 'trickle'; readonly part: 'headers' | 'body'; readonly everyMs: number }
  /** A body of this many bytes without Content-Length, sent no faster than the client reads. */
  | { readonly kind: 'huge'; readonly bytes: number }
  /** The normal response, delayed. */
  | { readonly kind: 'slow'; readonly ms: number };

/** When a fault is injected, and whether the task is stopped nevertheless. */
export interface FaultRule {
  readonly fault: Fault;
  readonly times: number | 'always';
  /** 0 to 1; default 1. A request that escapes the fault does not use up the rule. */
  readonly probability?: number;
  /** Only requests for this task. */
  readonly taskId?: string;
  /**
   * `after`: the task is stopped and then the fault happens, so the response is wrong or lost.
   * `before` (default): the task is not stopped. `trickle` and `slow` end in the normal response,
   * so they always stop the task; `slow` with `before` stops it when the delay is over.
   */
  readonly effect?: 'before' | 'after';
}

/** Faults that need access to the connection or the HTTP response. */
export type ConnectionFault = Exclude<Fault, { kind: 'error' | 'slow' }>;

/** Network and edge faults happen before the signature is verified. */
export function bypassesAuthentication({ kind }: Fault): boolean {
  return kind === 'status' || kind === 'no-response' || kind === 'reset' || kind === 'close';
}

/** The active rules; the first that matches and has uses left applies. */
export class Faults {
  #rules: { readonly rule: FaultRule; remaining: number }[] = [];

  constructor(readonly random: () => number) {}

  replace(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, remaining: rule.times === 'always' ? Infinity : rule.times }));
  }

  /** @param applies whether this request can have the fault at all */
  next(taskId: unknown, applies: (fault: Fault) => boolean): FaultRule | undefined {
    const entry = this.#rules.find(
      ({ rule, remaining }) =>
        remaining > 0 &&
        (rule.taskId === undefined || rule.taskId === taskId) &&
        applies(rule.fault) &&
        (rule.probability === undefined || this.random() < rule.probability),
    );
    if (entry) entry.remaining -= 1;
    return entry?.rule;
  }

  /** The rules that have uses left, with the remaining number. */
  list(): FaultRule[] {
    return this.#rules
      .filter(({ remaining }) => remaining > 0)
      .map(({ rule, remaining }) => ({ ...rule, times: remaining === Infinity ? 'always' : remaining }));
  }
}
