import { Global, Module } from '@nestjs/common';
import { getConfigToken } from '@nestjs/config';
import { LoggerModule } from 'nestjs-pino';
import { stdTimeFunctions } from 'pino';
import { BufferedStdout } from './buffered-stdout.js';
import { escapeUnsafe, spellOutUnsafe } from './escape-unsafe.js';

/** Fields that repeat the message, or are the same in every entry. */
const HIDDEN_FIELDS = 'event,context';

/** The configuration namespace with these options. */
const LOGGING_OPTIONS = getConfigToken('logging');

interface LoggingOptions {
  readonly level: string;
  /** In production, entries are JSON also on a terminal. */
  readonly isProduction: boolean;
}

/** The logger and its destination, for all modules. */
@Global()
@Module({
  imports: [
    LoggerModule.forRootAsync({
      useFactory: ({ level }: LoggingOptions, destination: BufferedStdout) => ({
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
      inject: [LOGGING_OPTIONS, BufferedStdout],
    }),
  ],
  providers: [
    {
      provide: BufferedStdout,
      useFactory: async ({ isProduction }: LoggingOptions) =>
        new BufferedStdout((isProduction ? undefined : await terminalFormat(process.stdout)) ?? escapeUnsafe),
      inject: [LOGGING_OPTIONS],
    },
  ],
  exports: [BufferedStdout],
})
export class LoggingModule {}

/**
 * Creates a format of log entries for a terminal: readable, and in colour unless NO_COLOR is set.
 *
 * @returns undefined if the stream is not a terminal, or without pino-pretty, which is a development dependency
 */
async function terminalFormat(out: NodeJS.WriteStream): Promise<((line: string) => string) | undefined> {
  if (!out.isTTY) return undefined;
  const pretty = await import('pino-pretty').catch(() => undefined);
  if (!pretty) return undefined;
  const format = pretty.prettyFactory({
    colorize: out.hasColors(),
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: HIDDEN_FIELDS,
  });
  return (line) => format(spellOutUnsafe(line));
}
