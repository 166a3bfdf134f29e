import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { QuotaObserver, QuotaState, Refusal, StoreObserver } from '#libs/quota';

const DECISIONS = ['granted', 'waited', 'refused-quota', 'refused-share', 'refused-queue'];

/** How the quota is used and what it decided. */
@Injectable()
export class QuotaUse implements QuotaObserver, StoreObserver {
  readonly #decisions: Counter<'decision'>;
  readonly #wait: Histogram;
  readonly #storeUp: Gauge;
  #state: () => QuotaState = () => ({ capacity: 0, free: 0, inUse: 0, waiting: 0, nextFreeInMs: 0 });

  constructor(
    registry: Registry,
    private readonly logger: PinoLogger,
  ) {
    const registers = [registry];
    const gauge = (name: string, help: string, value: (state: QuotaState) => number): Gauge => {
      const read = (): QuotaState => this.#state();
      return new Gauge({
        name,
        help,
        registers,
        collect: function () {
          this.set(value(read()));
        },
      });
    };
    gauge('quota_slots', 'Upstream calls that may arrive in any one second.', ({ capacity }) => capacity);
    gauge('quota_slots_in_use', 'Slots that are taken.', ({ inUse }) => inUse);
    gauge('quota_waiting', 'Calls that wait for a slot.', ({ waiting }) => waiting);
    this.#wait = new Histogram({
      name: 'quota_wait_seconds',
      help: 'How long admitted calls waited for their slot.',
      buckets: [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    });
    this.#storeUp = new Gauge({
      name: 'quota_store_up',
      help: 'Whether the store of the slots can be used; 1 without REDIS_URL, when this process is the store.',
      registers,
    });
    this.#storeUp.set(1);
    this.#decisions = new Counter({
      name: 'quota_decisions_total',
      help: 'What the quota decided.',
      labelNames: ['decision'],
      registers,
    });
    for (const decision of DECISIONS) this.#decisions.inc({ decision }, 0);
  }

  watch(state: () => QuotaState): void {
    this.#state = state;
  }

  /** There is a store, and it has yet to be found. */
  expectStore(): void {
    this.#storeUp.set(0);
  }

  storeFound(): void {
    this.#storeUp.set(1);
    this.logger.info({ event: 'quota-store-up' }, 'the slots come from Redis, shared by all replicas');
  }

  storeLost(reason: string, part: number): void {
    this.#storeUp.set(0);
    const consequence =
      part > 0
        ? 'this replica lends its own part of the slots'
        : 'this replica refuses calls until it is back';
    this.logger.warn({ event: 'quota-store-down', reason, part }, `Redis is out of reach: ${consequence}`);
  }

  granted(waitedMs: number): void {
    this.#wait.observe(waitedMs / 1000);
    this.#decisions.inc({ decision: waitedMs > 0 ? 'waited' : 'granted' });
  }

  lowered(slots: number): void {
    this.logger.warn(
      { event: 'quota-lowered', slots },
      'the cloud refused a call within the quota: somebody else uses it',
    );
  }

  refused(why: Refusal | 'queue'): void {
    this.#decisions.inc({
      decision: why === 'share' || why === 'queue' ? `refused-${why}` : 'refused-quota',
    });
  }
}
