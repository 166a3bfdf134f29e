import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { HttpMetrics } from './http-metrics.js';
import { LogLoss } from './log-loss.js';
import { Reporter } from './reporter.js';
import { StopMetrics } from './stop-metrics.js';
import { Tracing } from './tracing/tracing.js';

/** Log entries, metrics and spans of requests. */
@Module({
  imports: [AuthModule],
  providers: [HttpMetrics, LogLoss, Reporter, StopMetrics, Tracing],
  exports: [HttpMetrics, Reporter, Tracing],
})
export class ReportingModule {}
