import type { Row } from './row.js';
import { flood } from './rows/flood.js';
import { latency } from './rows/latency.js';
import { lowRate } from './rows/low-rate.js';
import { manyCallers } from './rows/many-callers.js';
import { memory } from './rows/memory.js';
import { redis } from './rows/redis.js';
import { redisFlood } from './rows/redis-flood.js';
import { replicas } from './rows/replicas.js';
import { signing } from './rows/signing.js';
import { size } from './rows/size.js';
import { start } from './rows/start.js';
import { unauthenticated } from './rows/unauthenticated.js';
import { underFlood } from './rows/under-flood.js';

/** Every row, in the order of the table. */
export const ROWS: readonly Row[] = [
  signing,
  latency,
  lowRate,
  flood,
  underFlood,
  unauthenticated,
  redis,
  redisFlood,
  replicas,
  start,
  memory,
  manyCallers,
  size,
];
