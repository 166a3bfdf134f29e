import { Module } from '@nestjs/common';
import { DocsController } from './docs.controller.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { ProblemsController } from './problems.controller.js';

/** The OpenAPI document, Swagger UI and the problem pages. */
@Module({ controllers: [DocsController, OpenApiController, ProblemsController] })
export class ApiDocsModule {}
