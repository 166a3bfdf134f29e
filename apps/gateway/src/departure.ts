/**
 * That a caller hangs up. The signal is made for those who wait for it: to abort one costs every request 5 µs, as
 * much as an eighth of a refusal, and hardly any request is waited for.
 */
export class Departure {
  #left = false;
  #controller: AbortController | undefined;

  /** Before its answer, or after it, which changes nothing. */
  get left(): boolean {
    return this.#left;
  }

  /** Aborted when the caller leaves. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#left) this.#controller.abort();
    return this.#controller.signal;
  }

  leave(): void {
    this.#left = true;
    this.#controller?.abort();
  }
}
