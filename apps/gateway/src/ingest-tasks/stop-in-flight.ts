import type { Slot } from '#libs/quota';
import type { StopResult } from '#libs/tencent-cloud';
import { LazyAbortController } from '../lazy-abort-controller.js';
import { UpstreamCall } from './upstream-call.js';

/**
 * Makes the call to the cloud; its first attempt is admitted by a slot of whoever gets one first.
 *
 * @param course is told what becomes of it
 */
export type Send = (firstSlot: Promise<Slot>, course: UpstreamCall) => Promise<StopResult>;

/** Asks for a slot on behalf of a caller, together with others for the same call, until that is settled. */
export type Take = (together: object, settled: LazyAbortController) => Promise<Slot>;

const SETTLED = new Error('nobody needs to ask for a slot any more');

/**
 * One call to the cloud that several callers want. Each asks for a slot for itself, with its own patience; the
 * first slot admits the call for all. It ends unsent when nobody wants it any more.
 */
export class StopInFlight {
  readonly course = new UpstreamCall();
  readonly #result: Promise<StopResult>;
  readonly #slot = Promise.withResolvers<Slot>();
  /** Nobody needs to ask for a slot any more: the call was admitted, or has ended without. */
  readonly #settled = new LazyAbortController();
  #admittedBy: Slot | undefined;
  #asking = 0;
  #unwanted = false;

  constructor(send: Send) {
    this.#slot.promise.catch(() => {});
    this.#result = send(this.#slot.promise, this.course);
    void this.#end();
  }

  /** Whether all who wanted it are gone: it ends without being sent, and nobody can join any more. */
  get unwanted(): boolean {
    return this.#unwanted;
  }

  /**
   * @throws what `take` rejects with, unless another slot admitted the call before
   * @throws what the call ends in
   */
  async join(take: Take): Promise<StopResult> {
    if (this.#settled.aborted) return this.#result;
    this.#asking += 1;
    try {
      this.#admit(await take(this, this.#settled));
    } catch (error) {
      this.#asking -= 1;
      if (this.#settled.aborted) return this.#result;
      if (this.#asking === 0) {
        this.#unwanted = true;
        this.#slot.reject(error);
      }
      throw error;
    }
    return this.#result;
  }

  #admit(slot: Slot): void {
    // Those who ask together get the same slot.
    if (slot === this.#admittedBy) return;
    if (this.#settled.aborted) return slot.unused();
    this.#admittedBy = slot;
    this.#settled.abort(SETTLED);
    this.#slot.resolve(slot);
  }

  async #end(): Promise<void> {
    // What it ends in, each caller learns from `join`.
    await this.#result.catch(() => {});
    this.#settled.abort(SETTLED);
    // A call that ended before its first attempt has not touched its slot; for any other this says nothing new.
    await this.#slot.promise.then(
      (slot) => slot.unused(),
      () => {},
    );
  }
}
