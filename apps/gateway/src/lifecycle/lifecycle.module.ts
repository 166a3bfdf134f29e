import { Module } from '@nestjs/common';
import { Lifecycle } from './lifecycle.js';

/** The state of this process: starting, serving, draining. */
@Module({ providers: [Lifecycle], exports: [Lifecycle] })
export class LifecycleModule {}
