import { Module } from '@nestjs/common';
import { AuthenticationHook } from './authentication.hook.js';
import { CallerRegistry } from './caller-registry.js';

/** The callers and their keys, authentication, and the delay after failed attempts. */
@Module({
  providers: [AuthenticationHook, CallerRegistry],
  exports: [AuthenticationHook, CallerRegistry],
})
export class AuthModule {}
