/**
 * An AbortController that creates its signal only for those who listen to it: creating, combining and aborting a
 * signal costs a call more than its signature, and hardly any call has to wait.
 */
export class LazyAbortController {
  #reason: Error | undefined;
  #controller: AbortController | undefined;

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  /** @throws the reason when it is aborted */
  throwIfAborted(): void {
    if (this.#reason) throw this.#reason;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** The first reason counts. */
  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }
}
