import { PERIOD_MS } from '../fairness/demand-tracker.js';
import type { AcquireRequest, Decision, Rejection } from '../slot-pool.js';
import { WINDOW_MS } from '../timing.js';
import type { StoreDecisions } from './slot-store.js';

/** How long a proof is used, in milliseconds. Then it is renewed, if calls were rejected by it. */
const MAX_PROOF_AGE_MS = 100;

/** How many callers one command reports. The calls of further callers ask the store. */
const MAX_REPORTS = 100;

interface KnownCaller {
  readonly reason: Rejection['reason'];
  /** When the command was sent that returned the reason. */
  readonly decidedAt: number;
  /** Until then the store would decide the same. */
  readonly unchangedUntil: number;
}

/**
 * Rejects calls without a command to the store while its latest reply proves that no slot can be free for them, and
 * collects their demand for the next command. So the store receives a few commands a second, however many calls arrive.
 *
 * A proof can become outdated: another replica may have released a slot unused, or the capacity may have grown. So no
 * call is rejected by a proof that is 100 ms old, and no call of a caller that the store does not know yet.
 */
export class ProvenRejections {
  readonly #callers = new Map<string, KnownCaller>();
  readonly #unreported = new Map<string, AcquireRequest>();
  /** When the latest command was sent, and until when its reply proves that no slot is free. */
  #proof = { sentAt: -Infinity, fullUntil: -Infinity };

  /** Records the reply to a command that was sent at this time with these requests. */
  record(requests: readonly AcquireRequest[], { decisions, snapshot }: StoreDecisions, sentAt: number): void {
    // The store rounds up. The response to a call in flight arrives after now, and its window follows.
    const unchangedUntil = sentAt + Math.min(snapshot.nextChangeInMs - 1, WINDOW_MS);
    const isFull = snapshot.expiresInMs.length >= snapshot.capacity;
    this.#proof = { sentAt, fullUntil: isFull ? unchangedUntil : -Infinity };
    requests.forEach(({ caller, isBackground }, index) => {
      // It leaves slots to the other calls of its caller.
      if (isBackground) return;
      const reason = decisions[index] as Decision;
      const known = this.#callers.get(caller);
      if (reason !== 'granted') this.#callers.set(caller, { reason, decidedAt: sentAt, unchangedUntil });
      else if (known)
        this.#callers.set(caller, { reason: 'quota', decidedAt: sentAt, unchangedUntil: -Infinity });
    });
  }

  /** Rejects a request and records its demand. Returns undefined if only the store can decide. */
  reject(request: AcquireRequest, now: number): Rejection['reason'] | undefined {
    const known = this.#callers.get(request.caller);
    if (!known || request.isBackground || !this.#isRejected(known, now)) return undefined;
    if (!this.#unreported.has(request.caller) && this.#unreported.size >= MAX_REPORTS) return undefined;
    this.#unreported.set(request.caller, this.#withUnreported(request));
    return known.reason;
  }

  /** Returns the request with the unreported demand of its caller, and those of the other callers. Forgets them. */
  takeReports(request?: AcquireRequest): AcquireRequest[] {
    const first = request?.isBackground ? request : request && this.#withUnreported(request);
    if (first && !first.isBackground) this.#unreported.delete(first.caller);
    const reports = [...(first ? [first] : []), ...this.#unreported.values()];
    this.#unreported.clear();
    return reports;
  }

  get hasUnreported(): boolean {
    return this.#unreported.size > 0;
  }

  /** When the proof must be renewed. */
  get renewalDueAt(): number {
    return this.#proof.sentAt + MAX_PROOF_AGE_MS;
  }

  /** Ends the proof, because a slot may be free now. */
  invalidate(): void {
    this.#proof.fullUntil = -Infinity;
    for (const [caller, known] of this.#callers)
      this.#callers.set(caller, { ...known, unchangedUntil: -Infinity });
  }

  #isRejected({ decidedAt, unchangedUntil }: KnownCaller, now: number): boolean {
    const { sentAt, fullUntil } = this.#proof;
    if (now < unchangedUntil && now - decidedAt < MAX_PROOF_AGE_MS) return true;
    // The store forgets the demand of a caller after one to two periods.
    return now < fullUntil && now - sentAt < MAX_PROOF_AGE_MS && now - decidedAt < PERIOD_MS;
  }

  #withUnreported(request: AcquireRequest): AcquireRequest {
    const { caller, newCalls, pendingCalls } = request;
    const unreported = this.#unreported.get(caller);
    if (!unreported) return request;
    return {
      caller,
      newCalls: unreported.newCalls + newCalls,
      pendingCalls: Math.max(unreported.pendingCalls, pendingCalls),
    };
  }
}
