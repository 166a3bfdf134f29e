/**
 * An AbortController that creates its signal when it is first read. To create, combine and abort a signal costs more
 * than to sign a call, and most calls never wait.
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

  /** Has no effect after the first call. */
  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }
}
