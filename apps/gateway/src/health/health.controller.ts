import { Controller, Get, Header, HttpStatus, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { PublicRoute } from '../http/route-config.js';
import { Quota } from '#libs/quota';
import { Lifecycle, type NotReadyReason } from '../lifecycle/lifecycle.js';
import { CredentialsService } from '../tencent-cloud/credentials.service.js';

@Controller()
export class HealthController {
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly credentials: CredentialsService,
    private readonly quota: Quota,
  ) {}

  /** Returns 200 while the event loop runs. */
  @Get('livez')
  @PublicRoute()
  @Header('cache-control', 'no-store')
  live(): { status: string } {
    return { status: 'ok' };
  }

  /**
   * Returns 200 when the gateway can take traffic, otherwise 503 with every reason. The health of the cloud does not
   * matter, nor does that of a Redis that was reached before: it is the same for every replica.
   */
  @Get('readyz')
  @PublicRoute()
  @Header('cache-control', 'no-store')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { status: string; reasons?: NotReadyReason[] } {
    const reasons = this.#notReadyReasons();
    if (reasons.length === 0) return { status: 'ok' };
    void reply.code(HttpStatus.SERVICE_UNAVAILABLE);
    return { status: 'unavailable', reasons };
  }

  #notReadyReasons(): NotReadyReason[] {
    const { state } = this.lifecycle;
    const reasons: NotReadyReason[] = state === 'serving' ? [] : [state];
    if (!this.credentials.isAvailable) reasons.push('no-credentials');
    if (!this.quota.hasReachedStore) reasons.push('redis-never-reached');
    return reasons;
  }
}
