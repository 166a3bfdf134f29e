import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { QuotaObserver, QuotaState, RejectionReason, StoreCommand } from '#libs/quota';

const DECISIONS = ['granted', 'waited', 'rejected-quota', 'rejected-share', 'rejected-queue'];
const COMMANDS: readonly StoreCommand[] = ['acquire', 'renew', 'release', 'join', 'heartbeat', 'reduce'];

/** The state of the quota, its decisions, and its commands to Redis. */
@Injectable()
export class QuotaMetrics implements QuotaObserver {
  readonly #decisions: Counter<'decision'>;
  readonly #commands: Counter<'command'>;
  readonly #wait: Histogram;
  readonly #redisUp: Gauge;
  #state: () => QuotaState = () => ({ capacity: 0, free: 0, inUse: 0, queueLength: 0, nextFreeInMs: 0 });

  constructor(
    registry: Registry,
    private readonly logger: PinoLogger,
  ) {
    const registers = [registry];
    const gauge = (name: string, help: string, value: (state: QuotaState) => number): Gauge => {
      const state = (): QuotaState => this.#state();
      return new Gauge({
        name: `ingest_gateway_quota_${name}`,
        help,
        registers,
        collect: function () {
          this.set(value(state()));
        },
      });
    };
    gauge('slots', 'Upstream calls that may arrive in any one second.', ({ capacity }) => capacity);
    gauge('slots_in_use', 'Slots that are leased.', ({ inUse }) => inUse);
    gauge('queue_length', 'Calls that wait for a slot.', ({ queueLength }) => queueLength);
    this.#wait = new Histogram({
      name: 'ingest_gateway_quota_queue_wait_seconds',
      help: 'How long admitted calls waited for their slot.',
      buckets: [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    });
    this.#redisUp = new Gauge({
      name: 'ingest_gateway_quota_redis_up',
      help: 'Whether the slots in Redis can be used; 1 without REDIS_URL, when the slots are in this process.',
      registers,
    });
    this.#redisUp.set(1);
    this.#decisions = new Counter({
      name: 'ingest_gateway_quota_decisions_total',
      help: 'Decisions of the quota.',
      labelNames: ['decision'],
      registers,
    });
    for (const decision of DECISIONS) this.#decisions.inc({ decision }, 0);
    this.#commands = new Counter({
      name: 'ingest_gateway_quota_redis_commands_total',
      help: 'Commands to the slots in Redis; 0 without REDIS_URL.',
      labelNames: ['command'],
      registers,
    });
    for (const command of COMMANDS) this.#commands.inc({ command }, 0);
  }

  /** @param state called at each scrape */
  observe(state: () => QuotaState): void {
    this.#state = state;
  }

  /** The slots are in Redis, and the connection is not established yet. */
  storeConnecting(): void {
    this.#redisUp.set(0);
  }

  storeCommand(command: StoreCommand): void {
    this.#commands.inc({ command });
  }

  storeConnected(): void {
    this.#redisUp.set(1);
    this.logger.info({ event: 'quota-redis-connected' }, 'the slots are in Redis, shared by all replicas');
  }

  storeDisconnected(reason: string, fallbackSlots: number): void {
    this.#redisUp.set(0);
    const consequence =
      fallbackSlots > 0
        ? 'this replica uses its fallback slots'
        : 'this replica rejects stops until Redis is back';
    this.logger.warn(
      { event: 'quota-redis-disconnected', reason, fallbackSlots },
      `Redis is unavailable: ${consequence}`,
    );
  }

  granted(waitedMs: number): void {
    this.#wait.observe(waitedMs / 1000);
    this.#decisions.inc({ decision: waitedMs > 0 ? 'waited' : 'granted' });
  }

  reduced(slots: number): void {
    this.logger.warn(
      { event: 'quota-capacity-reduced', slots },
      'the cloud throttled a call within the quota: another program uses the same sub-account',
    );
  }

  rejected(reason: RejectionReason | 'queue'): void {
    const decision = reason === 'share' || reason === 'queue' ? `rejected-${reason}` : 'rejected-quota';
    this.#decisions.inc({ decision });
  }
}
