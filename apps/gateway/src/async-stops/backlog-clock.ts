import type { Redis } from 'ioredis';

const ADVANCE = `
local now = math.max(tonumber(redis.call('GET', KEYS[1]) or '0') or 0, tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', now))
return string.format('%.0f', now)`;

/**
 * A clock that all replicas share and that no step of a wall clock affects: replicas drive it with their monotonic
 * clocks. While no replica runs, it stands still. See docs/adr/0023-async-stops.md.
 */
export class BacklogClock {
  /** The stored time at the first contact, and the monotonic time of that contact. */
  #joined: { readonly stored: number; readonly at: number } | undefined;
  #last = { stored: 0, at: 0 };

  constructor(
    private readonly redis: Pick<Redis, 'eval'>,
    private readonly key: string,
    private readonly monotonic: { now(): number },
  ) {}

  /** Advances the stored time by what this replica has lived, and reads it. */
  async synchronize(): Promise<void> {
    const at = this.monotonic.now();
    const proved = this.#joined ? this.#joined.stored + at - this.#joined.at : 0;
    const stored = Number(await this.redis.eval(ADVANCE, 1, this.key, Math.floor(proved)));
    if (!Number.isFinite(stored)) return;
    this.#joined ??= { stored, at };
    this.#last = { stored, at };
  }

  /** Whether the stored time is known. */
  get isSynchronized(): boolean {
    return this.#joined !== undefined;
  }

  /** Returns milliseconds since the first start of any replica. */
  now(): number {
    return this.#last.stored + Math.floor(this.monotonic.now() - this.#last.at);
  }
}
