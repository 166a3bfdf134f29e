import { Controller, Get, Header, HttpStatus, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CloudCredentials } from '../credentials/cloud-credentials.js';
import { Lifecycle } from './lifecycle.js';

@Controller()
export class HealthController {
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly credentials: CloudCredentials,
  ) {}

  /** 200 while the event loop turns. */
  @Get('livez')
  @Header('cache-control', 'no-store')
  live(): { status: string } {
    return { status: 'ok' };
  }

  /** 200 when able to take traffic. The cloud's health does not decide it: no replica could mend that by leaving. */
  @Get('readyz')
  @Header('cache-control', 'no-store')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { status: string } {
    const ready = this.lifecycle.ready && this.credentials.available;
    if (!ready) void reply.code(HttpStatus.SERVICE_UNAVAILABLE);
    return { status: ready ? 'ok' : 'unavailable' };
  }
}
