import { Controller, Get, Header, Inject } from '@nestjs/common';
import type { AuthConfig, QuotaConfig, TencentCloudConfig } from '../../config/configuration.js';
import { authConfig, quotaConfig, tencentCloudConfig } from '../../config/namespaces.js';
import { PublicRoute } from '../../http/route-config.js';
import { RouteTable } from '../../http/route-table.js';

/** The OpenAPI document. */
@Controller('openapi.json')
export class OpenApiController {
  #document: Promise<Buffer> | undefined;

  constructor(
    private readonly routes: RouteTable,
    @Inject(authConfig.KEY) private readonly auth: AuthConfig,
    @Inject(quotaConfig.KEY) private readonly quota: QuotaConfig,
    @Inject(tencentCloudConfig.KEY) private readonly tencentCloud: TencentCloudConfig,
  ) {}

  /** Returns the document. The first request creates it, so that the start does not load what most processes never need. */
  @Get()
  @PublicRoute()
  @Header('content-type', 'application/json; charset=utf-8')
  @Header('cache-control', 'no-cache')
  document(): Promise<Buffer> {
    this.#document ??= this.#create();
    return this.#document;
  }

  async #create(): Promise<Buffer> {
    const { createDocument } = await import('./document.js');
    const { auth, quota, tencentCloud } = this;
    return Buffer.from(JSON.stringify(createDocument(this.routes.list(), { auth, quota, tencentCloud })));
  }
}
