import { Controller, Get, Headers, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Exposition } from '../metrics/exposition.js';

@Controller('metrics')
export class MetricsController {
  constructor(private readonly exposition: Exposition) {}

  /** Everything measured: Prometheus' text format, or OpenMetrics when asked for by `Accept`. */
  @Get()
  async scrape(
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { contentType, text } = await this.exposition.write(accept);
    void reply.headers({ 'content-type': contentType, vary: 'accept', 'cache-control': 'no-store' });
    return text;
  }
}
