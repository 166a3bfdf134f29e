import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Configuration } from '../../apps/gateway/src/config/configuration.js';
import { readConfiguration } from '../../apps/gateway/src/config/configuration.js';
import type { Surroundings } from '../../apps/gateway/src/gateway.module.js';
import { createGateway } from '../../apps/gateway/src/http.js';
import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { assertLogEntry } from '../contract/log-events.js';

/** Longer than any stall of a busy machine: for every test whose point is not a timeout. */
export const PATIENT = { UPSTREAM_ATTEMPT_TIMEOUT_MS: '30000', UPSTREAM_DEADLINE_MS: '60000' };

// nestjs-pino has one logger in a process, whoever configured it first: all gateways of a test file share its lines.
const logs: Record<string, unknown>[] = [];
let written: Record<string, unknown>[] = [];
const logTo = {
  write: (line: string): void => {
    const entry = JSON.parse(line) as Record<string, unknown>;
    logs.push(entry);
    written.push(entry);
  },
};

export interface Gateway {
  readonly url: string;
  readonly app: NestFastifyApplication;
  /** Every log line of this test file so far. */
  readonly logs: Record<string, unknown>[];
  /** @throws Error when a log entry is not as in the contract */
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
  const close = async (): Promise<void> => {
    await app.close();
    const entries = written;
    written = [];
    for (const entry of entries) assertLogEntry(entry);
  };
  return { url: `http://127.0.0.1:${port}`, app, logs, close };
}

/** The environment that points a gateway at a sandbox. */
export function variablesFor(sandbox: Sandbox): Record<string, string> {
  const [credentials] = sandbox.credentials;
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    TENCENTCLOUD_SECRET_ID: credentials!.secretId,
    TENCENTCLOUD_SECRET_KEY: credentials!.secretKey,
    TRTC_SDK_APP_ID: '1400000001',
    TRTC_ENDPOINT: sandbox.httpsUrl,
    ALLOW_ANONYMOUS: 'true',
  };
}
