import { Injectable, type PipeTransform } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ProblemException } from '../problems/problem.exception.js';
import { type StopRequest, toStopRequest, validateStopRequest } from './stop-request.js';

/** Validates a request to stop a task. */
@Injectable()
export class StopRequestPipe implements PipeTransform<FastifyRequest, StopRequest> {
  /** @throws ProblemException `invalid-request` that lists every error */
  transform(request: FastifyRequest): StopRequest {
    const errors = validateStopRequest(request);
    if (errors.length > 0) throw new ProblemException('invalid-request', { errors });
    return toStopRequest(request);
  }
}
