import { Global, Module } from '@nestjs/common';
import { getConfigToken } from '@nestjs/config';
import { Registry } from 'prom-client';
import { EventLoopLag } from './event-loop-lag.js';
import { MetricsController } from './metrics.controller.js';
import { createRegistry } from './registry.js';

/** The metrics registry, for all modules, and `GET /metrics`. */
@Global()
@Module({
  controllers: [MetricsController],
  providers: [
    EventLoopLag,
    {
      provide: Registry,
      useFactory: ({ revision }: { revision: string }) => createRegistry(revision),
      inject: [getConfigToken('build')],
    },
  ],
  exports: [Registry],
})
export class MetricsModule {}
