import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PinoLogger } from 'nestjs-pino';
import { closeGracefully } from '../connections/close-gracefully.js';
import { Connections } from '../connections/connections.js';
import { describeError } from '../logging/describe-error.js';
import { Tracing } from '../tracing/tracing.js';
import { Lifecycle } from './lifecycle.js';

/** The exit code of a program that found a fault of its own: EX_SOFTWARE of sysexits.h. */
const EX_SOFTWARE = 70;

/** By convention, a process ended by a signal exits with 128 and its number. */
const EXIT_BY_SIGNAL = { SIGTERM: 143, SIGINT: 130 };

/**
 * Ends the process in order on SIGTERM and SIGINT, at once on a second one, and on an error that nobody handled.
 *
 * @param graceMs how long calls in flight may take to finish, in milliseconds
 */
export async function shutDownOnSignals(app: NestFastifyApplication, graceMs: number): Promise<void> {
  const logger = await app.resolve<PinoLogger>(PinoLogger);
  let leaving = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (leaving) process.exit(EXIT_BY_SIGNAL[signal]);
      leaving = true;
      logger.info({ event: 'shutting-down', signal, graceMs }, 'shutting down');
      void leave(app, logger, graceMs);
    });
  for (const kind of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(kind, (error: unknown) => {
      logger.fatal(
        { event: 'crash', kind, ...describeError(error) },
        'an error that nobody handled ends the process',
      );
      process.exit(EX_SOFTWARE);
    });
}

async function leave(app: NestFastifyApplication, logger: PinoLogger, graceMs: number): Promise<void> {
  const end = performance.now() + graceMs;
  const lifecycle = app.get(Lifecycle);
  await lifecycle.drain(graceMs);
  await closeGracefully(app.getHttpServer(), app.get(Connections), end);
  // A call whose caller has disconnected has no connection any more.
  await lifecycle.finished(end);
  const unfinished = lifecycle.inFlight;
  await app.get(Tracing).close(end - performance.now());
  if (unfinished > 0) {
    logger.error({ event: 'cut-off', unfinished }, 'the grace is over: calls in flight are cut off');
    process.exit(1);
  }
  await app.close();
  logger.info({ event: 'shut-down' }, 'shut down');
  process.exit(0);
}
