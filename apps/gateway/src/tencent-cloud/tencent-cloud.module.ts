import { Module } from '@nestjs/common';
import { METADATA_SERVICE_ORIGIN, TencentCloudClient } from '#libs/tencent-cloud';
import type { TencentCloudConfig } from '../config/configuration.js';
import { tencentCloudConfig } from '../config/namespaces.js';
import { CLOCK, type SystemClock, systemClock } from '../time/system-clock.js';
import { ClientMetrics } from './client-metrics.js';
import { CredentialsMetrics } from './credentials-metrics.js';
import { CredentialsService, METADATA_SERVICE, TRUSTED_CERTIFICATES } from './credentials.service.js';

/** The client of Tencent Cloud's API, and its credentials. */
@Module({
  providers: [
    ClientMetrics,
    CredentialsMetrics,
    CredentialsService,
    { provide: CLOCK, useValue: systemClock },
    { provide: METADATA_SERVICE, useValue: METADATA_SERVICE_ORIGIN },
    { provide: TRUSTED_CERTIFICATES, useValue: undefined },
    {
      provide: TencentCloudClient,
      useFactory: (
        config: TencentCloudConfig,
        credentials: CredentialsService,
        observer: ClientMetrics,
        ca: string | undefined,
        clock: SystemClock,
      ) =>
        new TencentCloudClient({
          endpoint: config.endpoint,
          getCredentials: () => credentials.getCredentials(),
          renewCredentials: () => credentials.renewCredentials(),
          attemptTimeoutMs: config.attemptTimeoutMs,
          deadlineMs: config.deadlineMs,
          maxAttempts: config.maxAttempts,
          random: Math.random,
          clock,
          observer,
          ca,
          proxy: config.proxy,
        }),
      inject: [tencentCloudConfig.KEY, CredentialsService, ClientMetrics, TRUSTED_CERTIFICATES, CLOCK],
    },
  ],
  exports: [TencentCloudClient, CredentialsService],
})
export class TencentCloudModule {}
