import { Controller, Get, Header, Param, Res, StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { pageHeaders } from '../page-headers.js';
import { Problem } from '../problems/problem.js';
import { openFile, PAGE } from './swagger-ui.js';

/** Nothing but what this gateway serves itself. Swagger UI's stylesheet holds its icons as data. */
const HEADERS = pageHeaders(
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
);

/** Swagger UI, from the files of its package: no browser needs to reach anything but this gateway. */
@Controller('docs')
export class DocsController {
  @Get()
  @Header('cache-control', 'no-cache')
  page(@Res({ passthrough: true }) reply: FastifyReply): string {
    void reply.headers(HEADERS);
    return PAGE;
  }

  /** @throws Problem `route-not-found` for what the page does not need */
  @Get(':file')
  @Header('cache-control', 'public, max-age=3600')
  file(@Param('file') name: string): StreamableFile {
    const file = openFile(name);
    if (!file) throw new Problem('route-not-found');
    return new StreamableFile(file.content, { type: file.type });
  }
}
