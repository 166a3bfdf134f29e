import { Module } from '@nestjs/common';
import { AuthenticationHook } from './authentication.hook.js';
import { CallerRegistry } from './caller-registry.js';
import { CallerRegistryMetrics } from './caller-registry-metrics.js';

/** Who may call: the callers, their keys, and the delay of failed attempts. */
@Module({
  providers: [AuthenticationHook, CallerRegistry, CallerRegistryMetrics],
  exports: [AuthenticationHook, CallerRegistry],
})
export class AuthModule {}
