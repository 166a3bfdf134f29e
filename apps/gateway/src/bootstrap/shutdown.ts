import { setImmediate } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PinoLogger } from 'nestjs-pino';
import { TencentCloudClient } from '#libs/tencent-cloud';
import { closeGracefully } from '../http/close-gracefully.js';
import { ConnectionTracker } from '../http/connection-tracker.js';
import { Lifecycle } from '../lifecycle/lifecycle.js';
import { BufferedStdout } from '../logging/buffered-stdout.js';
import { describeError } from '../logging/describe-error.js';
import { Reporter } from '../reporting/reporter.js';
import { Tracing } from '../reporting/tracing/tracing.js';

/** The exit code of a program with an internal error: EX_SOFTWARE of sysexits.h. */
const EX_SOFTWARE = 70;

/** By convention, the exit code is 128 plus the number of the signal. */
const EXIT_BY_SIGNAL = { SIGTERM: 143, SIGINT: 130 };

/** An aborted call may wait for its retry, which is then rejected. */
const MAX_ABORT_MS = 2000;

/**
 * Shuts down gracefully on SIGTERM and SIGINT, and exits immediately on a second signal or an uncaught error.
 *
 * @param graceMs the time until calls in flight are aborted, in milliseconds; new stops are accepted during its first part
 */
export async function registerShutdownHandlers(app: NestFastifyApplication, graceMs: number): Promise<void> {
  const logger = await app.resolve<PinoLogger>(PinoLogger);
  const exit = async (code: number): Promise<void> => {
    await app.get(BufferedStdout).flush();
    process.exit(code);
  };
  let isShuttingDown = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (isShuttingDown) void exit(EXIT_BY_SIGNAL[signal]);
      else {
        isShuttingDown = true;
        logger.info({ event: 'shutdown-started', signal, graceMs }, 'shutting down');
        void shutdown(app, logger, graceMs).then(exit);
      }
    });
  for (const kind of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(kind, (error: unknown) => {
      logger.fatal(
        { event: 'uncaught-exception', kind, ...describeError(error) },
        'an uncaught error ends the process',
      );
      void exit(EX_SOFTWARE);
    });
}

/** @returns the exit code */
async function shutdown(app: NestFastifyApplication, logger: PinoLogger, graceMs: number): Promise<number> {
  const endsAt = performance.now() + graceMs;
  const lifecycle = app.get(Lifecycle);
  await lifecycle.drain(graceMs);
  await closeGracefully(app.getHttpServer(), app.get(ConnectionTracker), endsAt);
  // A stop whose client has disconnected continues without a connection.
  await lifecycle.finished(endsAt);
  const { inFlight } = lifecycle;
  if (inFlight > 0) {
    logger.error(
      { event: 'shutdown-timeout', inFlight },
      'the shutdown grace has ended: calls in flight are aborted',
    );
    // They end with an unknown outcome, and each has its response and its log entry.
    app.get(TencentCloudClient).close();
    await lifecycle.finished(performance.now() + MAX_ABORT_MS);
    // A stop whose client does not read its response is reported when its connection is closed.
    app.getHttpServer().closeAllConnections();
    await setImmediate();
    app.get(Reporter).onApplicationShutdown();
    await app.get(Tracing).close(MAX_ABORT_MS);
    return 1;
  }
  await app.get(Tracing).close(endsAt - performance.now());
  await app.close();
  logger.info({ event: 'shutdown-completed' }, 'shut down');
  return 0;
}
