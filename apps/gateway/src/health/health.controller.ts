import { Controller, Get, Header, HttpStatus, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { PublicRoute } from '../http/route-config.js';
import { Lifecycle } from '../lifecycle/lifecycle.js';
import { CredentialsService } from '../tencent-cloud/credentials.service.js';

@Controller()
export class HealthController {
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly credentials: CredentialsService,
  ) {}

  /** Returns 200 while the event loop runs. */
  @Get('livez')
  @PublicRoute()
  @Header('cache-control', 'no-store')
  live(): { status: string } {
    return { status: 'ok' };
  }

  /** Returns 200 when the gateway can take traffic. The health of the cloud does not matter: it is the same for every replica. */
  @Get('readyz')
  @PublicRoute()
  @Header('cache-control', 'no-store')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { status: string } {
    const isReady = this.lifecycle.isReady && this.credentials.isAvailable;
    if (!isReady) void reply.code(HttpStatus.SERVICE_UNAVAILABLE);
    return { status: isReady ? 'ok' : 'unavailable' };
  }
}
