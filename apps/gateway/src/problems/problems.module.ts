import { Global, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ProblemWriter } from './problem-writer.js';

/** The problem table and the one writer of error responses. */
@Global()
@Module({
  providers: [ProblemWriter, { provide: APP_FILTER, useExisting: ProblemWriter }],
  exports: [ProblemWriter],
})
export class ProblemsModule {}
