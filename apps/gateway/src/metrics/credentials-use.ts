import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Counter, Gauge, Registry } from 'prom-client';
import type { CredentialsObserver } from '#libs/tencent-cloud';

/** How old the credentials are and how long they last. */
@Injectable()
export class CredentialsUse implements CredentialsObserver {
  readonly #loaded: Gauge;
  readonly #expiry: Gauge;
  readonly #failures: Counter;

  constructor(
    registry: Registry,
    private readonly logger: PinoLogger,
  ) {
    const registers = [registry];
    this.#loaded = new Gauge({
      name: 'credentials_loaded_timestamp_seconds',
      help: 'When the credentials in use were loaded; 0 before the first ones.',
      registers,
    });
    this.#expiry = new Gauge({
      name: 'credentials_expiry_timestamp_seconds',
      help: 'When the credentials in use expire: +Inf if they do not, 0 before the first ones.',
      registers,
    });
    this.#failures = new Counter({
      name: 'credentials_reload_failures_total',
      help: 'Times that new credentials were wanted and could not be had; again each minute, or sooner, while that lasts.',
      registers,
    });
  }

  loaded(expireAtMs: number): void {
    this.#loaded.setToCurrentTime();
    this.#expiry.set(expireAtMs / 1000);
    this.logger.info(
      {
        event: 'credentials-loaded',
        ...(Number.isFinite(expireAtMs) && { expireAt: new Date(expireAtMs).toISOString() }),
      },
      'credentials loaded',
    );
  }

  failed(reason: string): void {
    this.#failures.inc();
    this.logger.error({ event: 'credentials-not-loaded', reason }, 'no new credentials; those in use stay');
  }
}
