import { Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { type DestinationStream, stdTimeFunctions } from 'pino';
import { bufferedStdout } from './buffered-stdout.js';
import { LOGGING_OPTIONS, type LoggingOptions } from './logging-options.js';
import { prettyLogDestination } from './pretty-log-destination.js';

/** The injection token of the stream for log entries. */
export const LOG_DESTINATION = Symbol('log destination');

/** The logger, for all modules. */
@Module({
  imports: [
    LoggerModule.forRootAsync({
      providers: [
        {
          provide: LOG_DESTINATION,
          useFactory: async ({ isProduction }: LoggingOptions) =>
            (isProduction ? undefined : await prettyLogDestination(process.stdout)) ?? bufferedStdout(),
          inject: [LOGGING_OPTIONS],
        },
      ],
      useFactory: ({ level }: LoggingOptions, destination: DestinationStream) => ({
        pinoHttp: [
          {
            level,
            base: null,
            timestamp: stdTimeFunctions.isoTime,
            formatters: { level: (label: string) => ({ level: label }) },
          },
          destination,
        ],
        // Without middleware, because the reporter writes one entry for each stop.
        forRoutes: [],
      }),
      inject: [LOGGING_OPTIONS, LOG_DESTINATION],
    }),
  ],
})
export class LoggingModule {}
