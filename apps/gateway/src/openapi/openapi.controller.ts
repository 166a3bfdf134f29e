import { Controller, Get, Header } from '@nestjs/common';
import { InjectConfiguration } from '../config/configuration.provider.js';
import type { Configuration } from '../config/configuration.js';
import { Routes } from '../routes.js';

/** The API's description for machines. */
@Controller('openapi.json')
export class OpenApiController {
  #document: Promise<Buffer> | undefined;

  constructor(
    private readonly routes: Routes,
    @InjectConfiguration() private readonly configuration: Configuration,
  ) {}

  /** Made when it is first asked for: most gateways are never asked, and start without it. */
  @Get()
  @Header('content-type', 'application/json; charset=utf-8')
  @Header('cache-control', 'no-cache')
  document(): Promise<Buffer> {
    this.#document ??= this.#make();
    return this.#document;
  }

  async #make(): Promise<Buffer> {
    const { createDocument } = await import('./document.js');
    return Buffer.from(JSON.stringify(createDocument(this.routes.list(), this.configuration)));
  }
}
