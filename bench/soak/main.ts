import { parseArgs } from 'node:util';
import { killSubprocesses } from '../../test/support/process.js';
import { soakWithCrashes } from './crashes.js';
import { soakWithMixedFaults } from './mixed-faults.js';

process.once('exit', killSubprocesses);
const { values } = parseArgs({
  options: {
    /** Repeats the crashes with asynchronous stops, instead of one gateway with a failing cloud. */
    crashes: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '180' },
    /** Calls per second. */
    rate: { type: 'string', default: '60' },
    /** Asynchronous stops in each run. */
    stops: { type: 'string', default: '500' },
  },
});
const seconds = Number(values.seconds);
const isPassed = values.crashes
  ? await soakWithCrashes(seconds, Number(values.stops))
  : await soakWithMixedFaults(seconds, Number(values.rate));
process.exitCode = isPassed ? 0 : 1;
