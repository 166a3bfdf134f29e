import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Registry } from 'prom-client';

@Controller('metrics')
export class MetricsController {
  #rendering: Promise<string> | undefined;

  constructor(private readonly registry: Registry) {}

  /** Everything measured, in Prometheus' text format. */
  @Get()
  async scrape(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.header('content-type', this.registry.contentType);
    // One for all who ask at the same time: it costs more than anything else that is open to everybody.
    this.#rendering ??= this.registry.metrics().finally(() => (this.#rendering = undefined));
    return this.#rendering;
  }
}
