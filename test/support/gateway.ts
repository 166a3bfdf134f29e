import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Configuration } from '../../apps/gateway/src/config/configuration.js';
import { readConfiguration } from '../../apps/gateway/src/config/configuration.js';
import type { Surroundings } from '../../apps/gateway/src/gateway.module.js';
import { createGateway } from '../../apps/gateway/src/http.js';
import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { variablesFor } from './environment.js';

export { variablesFor };

/** Longer than any stall of a busy machine: for every test whose point is not a timeout. */
export const PATIENT = { UPSTREAM_ATTEMPT_TIMEOUT_MS: '30000', UPSTREAM_DEADLINE_MS: '60000' };

// nestjs-pino has one logger in a process, whoever configured it first: all gateways of a test file share its lines.
const logs: Record<string, unknown>[] = [];
const logTo = { write: (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>) };

export interface Gateway {
  readonly url: string;
  readonly app: NestFastifyApplication;
  /** Every log line of this test file so far. */
  readonly logs: Record<string, unknown>[];
  close(): Promise<void>;
}

/**
 * The gateway of production in this process, on a free port of loopback, in front of the sandbox's HTTPS; patient
 * with the cloud unless told otherwise.
 */
export async function startGateway(
  sandbox: Sandbox,
  variables: Record<string, string> = {},
  changes: Partial<Configuration> = {},
  surroundings: Surroundings = {},
): Promise<Gateway> {
  const configuration = readConfiguration({ ...variablesFor(sandbox), ...PATIENT, ...variables });
  const app = await createGateway(
    { ...configuration, ...changes },
    { ca: sandbox.ca, logTo, ...surroundings },
  );
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, app, logs, close: () => app.close() };
}
