import { Module } from '@nestjs/common';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { QuotaModule } from '../quota/quota.module.js';
import { TencentCloudModule } from '../tencent-cloud/tencent-cloud.module.js';
import { HealthController } from './health.controller.js';

/** `GET /livez` and `GET /readyz`. */
@Module({ imports: [LifecycleModule, QuotaModule, TencentCloudModule], controllers: [HealthController] })
export class HealthModule {}
