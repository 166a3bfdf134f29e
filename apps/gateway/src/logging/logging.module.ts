import { Module } from '@nestjs/common';
import { getConfigToken } from '@nestjs/config';
import { LoggerModule } from 'nestjs-pino';
import { type DestinationStream, stdTimeFunctions } from 'pino';
import { bufferedStdout } from './buffered-stdout.js';

/** The injection token of the stream for log entries. */
export const LOG_DESTINATION = Symbol('log destination');

/** Fields that repeat the message, or are the same in every entry. */
const HIDDEN_FIELDS = 'event,context';

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

/**
 * Creates a log destination for a terminal: readable, and in colour unless NO_COLOR is set.
 *
 * @returns undefined if the stream is not a terminal, or without pino-pretty, which is a development dependency
 */
async function prettyLogDestination(out: NodeJS.WriteStream): Promise<DestinationStream | undefined> {
  if (!out.isTTY) return undefined;
  const pretty = await import('pino-pretty').catch(() => undefined);
  return pretty?.default({
    destination: out,
    colorize: out.hasColors(),
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: HIDDEN_FIELDS,
  });
}
