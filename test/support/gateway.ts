import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { AppModule } from '../../apps/gateway/src/app.module.js';
import { APP_OPTIONS, configureApp, createHttpAdapter } from '../../apps/gateway/src/bootstrap/create-app.js';
import { type Configuration, readConfiguration } from '../../apps/gateway/src/config/configuration.js';
import { NAMESPACES } from '../../apps/gateway/src/config/namespaces.js';
import { SERVER_LIMITS, type ServerLimits } from '../../apps/gateway/src/http/create-http-server.js';
import { BufferedStdout } from '../../apps/gateway/src/logging/buffered-stdout.js';
import { CLOCK, systemClock } from '../../apps/gateway/src/time/system-clock.js';
import {
  METADATA_SERVICE,
  TRUSTED_CERTIFICATES,
} from '../../apps/gateway/src/tencent-cloud/credentials.service.js';
import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { assertLogEntry } from '../contract/log-events.js';
import { gatewayEnvironment } from './environment.js';

/** Timeouts that no stall of a busy machine exceeds, for tests of other behaviour than timeouts. */
export const LONG_TIMEOUTS = { UPSTREAM_ATTEMPT_TIMEOUT_MS: '30000', UPSTREAM_DEADLINE_MS: '60000' };

/** The time after start in which the quota grants no slots, as documented. */
const STARTUP_DELAY_MS = 1500;

// nestjs-pino has one logger in a process, so all gateways of a test file share its entries.
const logs: Record<string, unknown>[] = [];
let unverified: Record<string, unknown>[] = [];
const collectedStdout = Object.assign(new EventEmitter().setMaxListeners(0), {
  write: (line: string): void => {
    const entry = JSON.parse(line) as Record<string, unknown>;
    logs.push(entry);
    unverified.push(entry);
  },
});

export interface Gateway {
  readonly url: string;
  readonly app: NestFastifyApplication;
  /** Moves the clock of the quota and of the circuit breaker forward. Timers are not affected. */
  skipTime(ms: number): void;
  /** Every log entry of this test file so far. */
  readonly logs: Record<string, unknown>[];
  /** @throws Error when a log entry is not as in the contract */
  close(): Promise<void>;
}

/** The parts of the gateway that a test replaces. */
export interface Overrides {
  /** Whether the quota grants no slots for 1.5 s after start. Always true with Redis. Default: false. */
  readonly hasStartupDelay?: boolean;
  readonly limits?: Partial<ServerLimits>;
  /** The origin of the instance metadata service. */
  readonly metadataService?: URL;
  /** Changes to the configuration that no environment variable can express. */
  readonly configuration?: Partial<{ [Name in keyof Configuration]: Partial<Configuration[Name]> }>;
}

/**
 * Starts the production gateway in this process, on a free port of loopback. It calls the sandbox over HTTPS, and has
 * long timeouts unless the test sets others.
 */
export async function startGateway(
  sandbox: Sandbox,
  variables: Record<string, string> = {},
  { hasStartupDelay = false, limits = {}, metadataService, configuration: changes = {} }: Overrides = {},
): Promise<Gateway> {
  const configuration = readConfiguration({ ...gatewayEnvironment(sandbox), ...LONG_TIMEOUTS, ...variables });
  const { keepAliveTimeoutMs } = configuration.http;
  const serverLimits = { ...SERVER_LIMITS, keepAliveTimeoutMs, ...limits };
  let skippedMs = 0;
  const skipTime = (ms: number): void => void (skippedMs += ms);
  const clock = { ...systemClock, now: () => systemClock.now() + skippedMs };
  let builder = Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(BufferedStdout)
    .useValue(collectedStdout)
    .overrideProvider(CLOCK)
    .useValue(clock)
    .overrideProvider(TRUSTED_CERTIFICATES)
    .useValue(sandbox.ca);
  for (const name of Object.keys(NAMESPACES) as (keyof Configuration)[])
    builder = builder
      .overrideProvider(NAMESPACES[name].KEY)
      .useValue({ ...configuration[name], ...changes[name] });
  if (metadataService) builder = builder.overrideProvider(METADATA_SERVICE).useValue(metadataService);
  const module = await builder.compile();
  // With Redis, the first calls also wait for the connection.
  if (!hasStartupDelay && configuration.redis.target === undefined) skipTime(STARTUP_DELAY_MS);
  const app = module.createNestApplication<NestFastifyApplication>(
    createHttpAdapter(serverLimits),
    APP_OPTIONS,
  );
  await configureApp(app, serverLimits);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const close = async (): Promise<void> => {
    await app.close();
    const entries = unverified;
    unverified = [];
    for (const entry of entries) assertLogEntry(entry);
  };
  return { url: `http://127.0.0.1:${port}`, app, skipTime, logs, close };
}
