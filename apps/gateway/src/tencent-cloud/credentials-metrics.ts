import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Counter, Gauge, Registry } from 'prom-client';
import type { CredentialsObserver } from '#libs/tencent-cloud';

/** Loads and expiry of the credentials. */
@Injectable()
export class CredentialsMetrics implements CredentialsObserver {
  readonly #lastSuccess: Gauge;
  readonly #isLastSuccessful: Gauge;
  readonly #expiry: Gauge;
  readonly #failures: Counter;

  constructor(
    registry: Registry,
    private readonly logger: PinoLogger,
  ) {
    const registers = [registry];
    this.#lastSuccess = new Gauge({
      name: 'ingest_gateway_credentials_last_reload_success_timestamp_seconds',
      help: 'When the credentials in use were loaded; 0 before the first ones.',
      registers,
    });
    this.#isLastSuccessful = new Gauge({
      name: 'ingest_gateway_credentials_last_reload_successful',
      help: '1 if the last attempt to load credentials succeeded, otherwise 0; 0 before the first one.',
      registers,
    });
    this.#expiry = new Gauge({
      name: 'ingest_gateway_credentials_expiry_timestamp_seconds',
      help: 'When the credentials in use expire: +Inf if they do not, 0 before the first ones.',
      registers,
    });
    this.#failures = new Counter({
      name: 'ingest_gateway_credentials_reload_failures_total',
      help: 'Failed attempts to load new credentials; counted again each minute, or sooner, while that lasts.',
      registers,
    });
  }

  loaded(expireAtMs: number): void {
    this.#lastSuccess.setToCurrentTime();
    this.#isLastSuccessful.set(1);
    this.#expiry.set(expireAtMs / 1000);
    this.logger.info(
      {
        event: 'credentials-reloaded',
        ...(Number.isFinite(expireAtMs) && { expireAt: new Date(expireAtMs).toISOString() }),
      },
      'credentials were loaded',
    );
  }

  failed(reason: string): void {
    this.#failures.inc();
    this.#isLastSuccessful.set(0);
    this.logger.error(
      { event: 'credentials-reload-failed', reason },
      'new credentials cannot be loaded: the credentials in use stay',
    );
  }
}
