import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.js';
import { demoCredentials } from './demo-credentials.js';
import { freePorts } from './free-ports.js';
import { until } from './poll.js';

export const SDK_APP_ID = 1400000001;

const HOST = '127.0.0.1';

/** The two programs that play, both on loopback. */
export interface Stage {
  /** The gateway. */
  readonly gateway: string;
  /** The stand-in for the cloud, as the gateway calls it. */
  readonly cloud: string;
  /** The stand-in's remote control. */
  readonly control: string;
  /** Aborts when the show cannot go on: a program died, or somebody wants it to end. */
  readonly over: AbortSignal;
  /** Ends both programs and removes what was written. */
  lower(): Promise<void>;
}

/**
 * Starts the sandbox and, in front of it, the gateway.
 *
 * @throws whatever `interrupted` aborts with, or an error that says in one line what did not start
 */
export async function raiseStage(interrupted: AbortSignal): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'ingest-gateway-demo-'));
  const caFile = join(folder, 'ca.pem');
  const { secretId, secretKey } = demoCredentials();
  const children: Child[] = [];
  const signals = [interrupted];
  const start = (name: string, variables: Record<string, string>): void => {
    const child = new Child(name, variables);
    children.unshift(child);
    signals.push(child.died);
  };
  const lower = async (): Promise<void> => {
    for (const child of children) await child.stop();
    await rm(folder, { recursive: true, force: true });
  };

  try {
    const [port, http, https, control] = await freePorts(4);
    const urls = {
      gateway: `http://${HOST}:${port}`,
      cloud: `https://${HOST}:${https}`,
      control: `http://${HOST}:${control}`,
    };
    start('sandbox', {
      SANDBOX_HOST: HOST,
      SANDBOX_PORT: String(http),
      SANDBOX_TLS_PORT: String(https),
      SANDBOX_CONTROL_PORT: String(control),
      SANDBOX_CA_FILE: caFile,
      SANDBOX_SDK_APP_ID: String(SDK_APP_ID),
      SANDBOX_SECRET_ID: secretId,
      SANDBOX_SECRET_KEY: secretKey,
    });
    await until('the sandbox to start', () => isWritten(caFile), AbortSignal.any(signals));
    start('gateway', {
      HOST,
      PORT: String(port),
      ALLOW_ANONYMOUS: 'true',
      NODE_EXTRA_CA_CERTS: caFile,
      TENCENTCLOUD_SECRET_ID: secretId,
      TENCENTCLOUD_SECRET_KEY: secretKey,
      TRTC_ENDPOINT: urls.cloud,
      TRTC_SDK_APP_ID: String(SDK_APP_ID),
    });
    const over = AbortSignal.any(signals);
    await until('the gateway to be ready', () => isReady(urls.gateway), over);
    return { ...urls, over, lower };
  } catch (error) {
    await lower();
    throw error;
  }
}

/** The sandbox writes it when it listens. */
async function isWritten(caFile: string): Promise<boolean> {
  return (await readFile(caFile, 'utf8')).trimEnd().endsWith('-----END CERTIFICATE-----');
}

async function isReady(gateway: string): Promise<boolean> {
  return (await fetch(`${gateway}/readyz`)).ok;
}
