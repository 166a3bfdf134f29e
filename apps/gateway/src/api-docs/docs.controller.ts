import { Controller, Get, Header, Param, Res, StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { htmlSecurityHeaders } from '../http/html-security-headers.js';
import { PublicRoute } from '../http/route-config.js';
import { ProblemException } from '../problems/problem.exception.js';
import { openFile, PAGE } from './swagger-ui.js';

/** Swagger UI's stylesheet contains its icons as `data:` URLs. */
const HEADERS = htmlSecurityHeaders(
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
);

/** Swagger UI, from the files of its package: the browser loads nothing from other servers. */
@Controller('docs')
export class DocsController {
  @Get()
  @PublicRoute()
  @Header('cache-control', 'no-cache')
  page(@Res({ passthrough: true }) reply: FastifyReply): string {
    void reply.headers(HEADERS);
    return PAGE;
  }

  /** @throws ProblemException `route-not-found` for a file that the page does not use */
  @Get(':file')
  @PublicRoute()
  @Header('cache-control', 'public, max-age=3600')
  file(@Param('file') name: string): StreamableFile {
    const file = openFile(name);
    if (!file) throw new ProblemException('route-not-found');
    return new StreamableFile(file.content, { type: file.type });
  }
}
