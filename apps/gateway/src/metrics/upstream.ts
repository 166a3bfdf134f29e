import { Injectable } from '@nestjs/common';
import { Histogram, Registry } from 'prom-client';
import { type ClientObserver, DOCUMENTED_CODES } from '#libs/tencent-cloud';

const CODES = new Set<string>(['OK', ...DOCUMENTED_CODES, 'timeout', 'unreachable', 'malformed', 'other']);

/** How long attempts at the cloud took and how they ended. */
@Injectable()
export class Upstream implements ClientObserver {
  readonly #duration: Histogram<'action' | 'code'>;

  constructor(registry: Registry) {
    this.#duration = new Histogram({
      name: 'tencentcloud_request_duration_seconds',
      help: 'Duration of attempts at the cloud, by action and code.',
      labelNames: ['action', 'code'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers: [registry],
    });
    for (const code of CODES) this.#duration.zero({ action: 'StopStreamIngest', code });
  }

  attempted(action: string, code: string, durationMs: number): void {
    this.#duration.observe({ action, code: CODES.has(code) ? code : 'other' }, durationMs / 1000);
  }
}
