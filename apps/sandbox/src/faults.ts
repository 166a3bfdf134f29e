/** Where in the answer a connection breaks. */
export type BreakPoint = 'before-headers' | 'in-headers' | 'in-body';

/** One way of going wrong. */
export type Fault =
  /** A cloud error in an HTTP 200, as nearly all of them come. */
  | { readonly kind: 'error'; readonly code: string; readonly message?: string }
  /** An HTTP status of the edge's, by default with an HTML page. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
      readonly contentType?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** HTTP 200 with exactly this body; `bodyBase64` wins, for bytes that are no text. */
  | {
      readonly kind: 'body';
      readonly body?: string;
      readonly bodyBase64?: string;
      readonly contentType?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection stays open, nothing comes. */
  | { readonly kind: 'no-response' }
  /** RST. */
  | { readonly kind: 'reset'; readonly at: BreakPoint }
  /** FIN. */
  | { readonly kind: 'close'; readonly at: BreakPoint }
  /** Fewer bytes than Content-Length announces, then FIN. */
  | { readonly kind: 'short-body' }
  /** The normal answer, that part of it one byte at a time. */
  | { readonly kind: 'trickle'; readonly part: 'headers' | 'body'; readonly everyMs: number }
  /** A body of so many bytes, without Content-Length, no faster than the client reads. */
  | { readonly kind: 'huge'; readonly bytes: number }
  /** The normal answer, late. */
  | { readonly kind: 'slow'; readonly ms: number };

/** When a fault happens, and whether the task was stopped all the same. */
export interface FaultRule {
  readonly fault: Fault;
  readonly times: number | 'always';
  /** 0 to 1; default 1. A draw that misses does not use up the rule. */
  readonly probability?: number;
  /** Only requests for this task. */
  readonly taskId?: string;
  /**
   * `after`: the stop takes effect and then the fault happens, so the answer lies or is lost.
   * `before` (default): it does not take effect. `drip` and `slow` end in the normal answer, so for
   * them the stop always takes effect; a `slow` one with `before` only when the wait is over.
   */
  readonly effect?: 'before' | 'after';
}

/** The faults that are more than another answer: something must be done to the connection. */
export type ConnectionFault = Exclude<Fault, { kind: 'error' | 'slow' }>;

/** Faults of the network or the edge strike before anybody looks at the signature. */
export function bypassesAuthentication({ kind }: Fault): boolean {
  return kind === 'status' || kind === 'no-response' || kind === 'reset' || kind === 'close';
}

/** The rules in force; the first that matches and has times left is used. */
export class Faults {
  #rules: { readonly rule: FaultRule; remaining: number }[] = [];

  constructor(readonly random: () => number) {}

  replace(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, remaining: rule.times === 'always' ? Infinity : rule.times }));
  }

  /** @param applies which faults can strike this request at all */
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

  /** The rules that have times left, with those times. */
  list(): FaultRule[] {
    return this.#rules
      .filter(({ remaining }) => remaining > 0)
      .map(({ rule, remaining }) => ({ ...rule, times: remaining === Infinity ? 'always' : remaining }));
  }
}
