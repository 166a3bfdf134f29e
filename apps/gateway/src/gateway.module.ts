import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { LoggerModule } from 'nestjs-pino';
import { type DestinationStream, stdTimeFunctions } from 'pino';
import { Registry } from 'prom-client';
import { Quota } from '#libs/quota';
import { TencentCloudClient } from '#libs/tencent-cloud';
import { CallReport } from './call-report.js';
import { Authentication } from './callers/authentication.js';
import { Callers } from './callers/callers.js';
import { CONNECTION_LIMITS, type ConnectionLimits } from './connections/connection-limits.js';
import { Connections } from './connections/connections.js';
import { MalformedRequests } from './connections/malformed-requests.js';
import { CONFIGURATION, configurationFactory } from './config/configuration.provider.js';
import type { Configuration } from './config/configuration.js';
import { CloudCredentials } from './credentials/cloud-credentials.js';
import { DocsController } from './docs/docs.controller.js';
import { FrontDoor } from './front-door.js';
import { IngestTasksController } from './ingest-tasks/ingest-tasks.controller.js';
import { IngestTasksService } from './ingest-tasks/ingest-tasks.service.js';
import { KnownOutcomes } from './ingest-tasks/known-outcomes.js';
import { RefusalAtOnce } from './ingest-tasks/refusal-at-once.js';
import { StopCoalescer } from './ingest-tasks/stop-coalescer.js';
import { logDestination } from './log-destination.js';
import { CallersFile } from './metrics/callers-file.js';
import { CredentialsUse } from './metrics/credentials-use.js';
import { Coalesced } from './metrics/coalesced.js';
import { Exposition } from './metrics/exposition.js';
import { HttpRequests } from './metrics/http-requests.js';
import { QuotaUse } from './metrics/quota-use.js';
import { createRegistry } from './metrics/registry.js';
import { Stops } from './metrics/stops.js';
import { Upstream } from './metrics/upstream.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { HealthController } from './operations/health.controller.js';
import { MetricsController } from './operations/metrics.controller.js';
import { Lifecycle } from './operations/lifecycle.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { ProblemsController } from './problems/problems.controller.js';
import { createQuota, openOutcomes } from './replicas/replicas.js';
import { Routes } from './routes.js';
import { systemClock } from './system-clock.js';
import { Tracing } from './tracing/tracing.js';

/** What a test may put in place of the real thing. */
export interface Surroundings {
  /** Certificates to trust instead of the system's, PEM. */
  ca?: string;
  /** Where log lines go instead of stdout. */
  logTo?: DestinationStream;
  limits?: Partial<ConnectionLimits>;
  /** Origin of the metadata service. */
  metadataService?: URL;
}

/** The one place where the parts are wired together. */
@Module({})
export class GatewayModule {
  static forRoot(
    configuration: Configuration,
    { ca, logTo, limits, metadataService }: Surroundings = {},
  ): DynamicModule {
    const { logLevel, revision, endpoint, attemptTimeoutMs, deadlineMs, maxAttempts } = configuration;
    const logging = {
      level: logLevel,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level: string) => ({ level }) },
    };
    return {
      module: GatewayModule,
      imports: [
        ConfigModule.forRoot({
          isGlobal: true,
          ignoreEnvFile: true,
          validatePredefined: false,
          skipProcessEnv: true,
          load: [configurationFactory(configuration)],
        }),
        // Its per-request middleware is not mounted: CallReport writes one line per call.
        LoggerModule.forRoot({ pinoHttp: [logging, logTo ?? logDestination()], forRoutes: [] }),
      ],
      controllers: [
        IngestTasksController,
        HealthController,
        MetricsController,
        DocsController,
        OpenApiController,
        ProblemsController,
      ],
      providers: [
        IngestTasksService,
        Lifecycle,
        MalformedRequests,
        Routes,
        ProblemFilter,
        CallReport,
        Tracing,
        Authentication,
        Callers,
        CallersFile,
        CredentialsUse,
        HttpRequests,
        Exposition,
        Stops,
        Upstream,
        QuotaUse,
        Coalesced,
        {
          provide: StopCoalescer,
          useFactory: (quota: Quota, outcomes: KnownOutcomes, coalesced: Coalesced) =>
            new StopCoalescer(quota, outcomes, coalesced, systemClock),
          inject: [Quota, KnownOutcomes, Coalesced],
        },
        RefusalAtOnce,
        FrontDoor,
        {
          provide: Connections,
          useFactory: () => new Connections(limits?.connections ?? CONNECTION_LIMITS.connections),
        },
        { provide: KnownOutcomes, useFactory: () => openOutcomes(configuration) },
        { provide: Registry, useFactory: () => createRegistry(revision) },
        {
          provide: Quota,
          useFactory: async (observer: QuotaUse) => {
            const quota = await createQuota(configuration, observer);
            observer.watch(() => quota.state());
            return quota;
          },
          inject: [QuotaUse],
        },
        {
          provide: CloudCredentials,
          useFactory: ({ credentials }: Configuration, observer: CredentialsUse) =>
            new CloudCredentials(credentials, observer, metadataService),
          inject: [CONFIGURATION, CredentialsUse],
        },
        {
          provide: TencentCloudClient,
          useFactory: (credentials: CloudCredentials, observer: Upstream) =>
            new TencentCloudClient({
              endpoint,
              credentials: () => credentials.current(),
              attemptTimeoutMs,
              deadlineMs,
              maxAttempts,
              random: Math.random,
              clock: systemClock,
              observer,
              ...(ca && { ca }),
            }),
          inject: [CloudCredentials, Upstream],
        },
      ],
    };
  }
}
