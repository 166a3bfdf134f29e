import { Controller, Get, Headers, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { PublicRoute } from '../http/route-config.js';
import { MetricsRenderer } from './metrics-renderer.js';

@Controller('metrics')
export class MetricsController {
  constructor(private readonly renderer: MetricsRenderer) {}

  /** Returns all metrics: in Prometheus' text format, or in OpenMetrics when `Accept` requests it. */
  @Get()
  @PublicRoute()
  async scrape(
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { contentType, text } = await this.renderer.render(accept);
    void reply.headers({ 'content-type': contentType, vary: 'accept', 'cache-control': 'no-store' });
    return text;
  }
}
