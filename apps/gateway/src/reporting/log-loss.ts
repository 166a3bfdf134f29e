import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Counter, Registry } from 'prom-client';
import { BufferedStdout } from '../logging/buffered-stdout.js';

/** Counts the log lines that stdout did not accept, and logs their number when it accepts lines again. */
@Injectable()
export class LogLoss {
  constructor(registry: Registry, stdout: BufferedStdout, logger: PinoLogger) {
    const counter = new Counter({
      name: 'ingest_gateway_log_lines_dropped_total',
      help: 'Log lines that were dropped because stdout did not accept them.',
      registers: [],
    });
    registry.registerMetric(counter);
    stdout.on('dropped', () => counter.inc());
    stdout.on('recovered', (count) => {
      logger.warn(
        { event: 'log-lines-dropped', count },
        'stdout did not accept log lines, and they are lost',
      );
    });
  }
}
