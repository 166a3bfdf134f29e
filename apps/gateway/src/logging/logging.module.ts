import { Module } from '@nestjs/common';
import { getConfigToken } from '@nestjs/config';
import { LoggerModule } from 'nestjs-pino';
import { type DestinationStream, stdTimeFunctions } from 'pino';
import { bufferedStdout } from './buffered-stdout.js';
import { prettyLogDestination } from './pretty-log-destination.js';

/** The injection token of the stream for log entries. */
export const LOG_DESTINATION = Symbol('log destination');

/** The configuration namespace with these options. */
const LOGGING_OPTIONS = getConfigToken('logging');

interface LoggingOptions {
  readonly level: string;
  /** In production, entries are JSON also on a terminal. */
  readonly isProduction: boolean;
}

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
