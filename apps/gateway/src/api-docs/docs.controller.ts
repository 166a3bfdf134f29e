import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Header, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { htmlSecurityHeaders } from '../http/html-security-headers.js';
import { PublicRoute } from '../http/route-config.js';
import { ProblemException } from '../problems/problem.exception.js';

/** Swagger UI's stylesheet contains its icons as `data:` URLs. */
const HEADERS = htmlSecurityHeaders(
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
);

/** URLs are relative, so that the page also works behind a proxy that adds a path prefix. */
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ingest gateway API</title>
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="swagger-ui"></div>
<noscript>The API is described in <a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
`;

/** Keys are not stored, and no external validator is called. */
const START = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  displayRequestDuration: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
`;

const FILES: Readonly<Record<string, string>> = {
  'favicon-32x32.png': 'image/png',
  'start.js': 'text/javascript; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
};

/** Swagger UI, from the files of its package: the browser loads nothing from other servers. */
@Controller('docs')
export class DocsController {
  /** Shared by all responses, so that slow clients cost neither memory nor open files. */
  readonly #files = new Map<string, Promise<Buffer>>();

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
  file(@Param('file') name: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<Buffer> {
    if (!Object.hasOwn(FILES, name)) throw new ProblemException('route-not-found');
    void reply.type(FILES[name]!);
    let content = this.#files.get(name);
    if (!content) {
      content = readPageFile(name);
      this.#files.set(name, content);
      content.catch(() => this.#files.delete(name));
    }
    return content;
  }
}

async function readPageFile(name: string): Promise<Buffer> {
  if (name === 'start.js') return Buffer.from(START);
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return readFile(join(folder, name));
}
