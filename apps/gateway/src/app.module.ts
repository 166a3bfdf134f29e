import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { ApiDocsModule } from './api-docs/api-docs.module.js';
import { AsyncStopsModule } from './async-stops/async-stops.module.js';
import { AuthModule } from './auth/auth.module.js';
import { NAMESPACES } from './config/namespaces.js';
import { HealthModule } from './health/health.module.js';
import { HttpModule } from './http/http.module.js';
import { IngestTasksModule } from './ingest-tasks/ingest-tasks.module.js';
import { LifecycleModule } from './lifecycle/lifecycle.module.js';
import { LoggingModule } from './logging/logging.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { ProblemsModule } from './problems/problems.module.js';
import { QuotaModule } from './quota/quota.module.js';
import { ReportingModule } from './reporting/reporting.module.js';
import { TencentCloudModule } from './tencent-cloud/tencent-cloud.module.js';

@Module({
  imports: [
    ConfigModule.forRoot({
      isGlobal: true,
      ignoreEnvFile: true,
      validatePredefined: false,
      skipProcessEnv: true,
      load: Object.values(NAMESPACES),
    }),
    LoggingModule,
    MetricsModule,
    HttpModule,
    LifecycleModule,
    ProblemsModule,
    AuthModule,
    QuotaModule,
    TencentCloudModule,
    IngestTasksModule,
    AsyncStopsModule,
    ReportingModule,
    HealthModule,
    ApiDocsModule,
  ],
})
export class AppModule {}
