import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  type Attempt,
  type CircuitStateName,
  type ClientObserver,
  DOCUMENTED_CODES,
  type RetryReason,
} from '#libs/tencent-cloud';

const CODES = new Set<string>(['OK', ...DOCUMENTED_CODES, 'timeout', 'unreachable', 'malformed', 'other']);
const REASONS: RetryReason[] = ['throttled', 'unreachable', 'timeout', 'failed', 'clock-skew', 'credentials'];
const STATES: CircuitStateName[] = ['closed', 'open', 'half-open'];

/** Attempts, retries, the circuit breaker and the clock offset of the Tencent Cloud client. */
@Injectable()
export class ClientMetrics implements ClientObserver {
  readonly #duration: Histogram<'action' | 'code'>;
  readonly #retries: Counter<'reason'>;
  readonly #circuit: Gauge<'state'>;
  readonly #clockOffset: Gauge;

  constructor(
    registry: Registry,
    private readonly logger: PinoLogger,
  ) {
    const registers = [registry];
    this.#duration = new Histogram({
      name: 'tencentcloud_request_duration_seconds',
      help: 'Duration of attempts to call Tencent Cloud, by action and code.',
      labelNames: ['action', 'code'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    });
    for (const code of CODES) this.#duration.zero({ action: 'StopStreamIngest', code });
    this.#retries = new Counter({
      name: 'tencentcloud_retries_total',
      help: 'Retries, by the reason of the failure.',
      labelNames: ['reason'],
      registers,
    });
    for (const reason of REASONS) this.#retries.inc({ reason }, 0);
    this.#circuit = new Gauge({
      name: 'tencentcloud_circuit_state',
      help: '1 for the current state of the circuit breaker.',
      labelNames: ['state'],
      registers,
    });
    this.#setCircuit('closed');
    this.#clockOffset = new Gauge({
      name: 'tencentcloud_clock_offset_seconds',
      help: "The cloud's clock minus this machine's, as measured when the cloud rejected the time of a signature.",
      registers,
    });
  }

  attemptCompleted({ code, durationMs }: Attempt, action: string): void {
    this.#duration.observe({ action, code: CODES.has(code) ? code : 'other' }, durationMs / 1000);
  }

  retried(reason: RetryReason): void {
    this.#retries.inc({ reason });
  }

  circuitStateChanged(state: CircuitStateName): void {
    this.#setCircuit(state);
    this.logger.warn({ event: 'circuit-state-changed', state }, `the circuit to Tencent Cloud is ${state}`);
  }

  clockCorrected(offsetMs: number): void {
    this.#clockOffset.set(offsetMs / 1000);
    this.logger.warn(
      { event: 'clock-skew-corrected', offsetMs },
      offsetMs === 0
        ? 'the cloud rejected its own time as well: signatures carry the time of this machine again'
        : 'signatures now use the clock of this machine plus offsetMs; if offsetMs is large, the clock is wrong: check NTP',
    );
  }

  #setCircuit(state: CircuitStateName): void {
    for (const name of STATES) this.#circuit.set({ state: name }, name === state ? 1 : 0);
  }
}
