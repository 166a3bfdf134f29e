import { startSandbox } from '../../../apps/sandbox/src/sandbox.js';

/** The URLs of a sandbox, and credentials that it accepts. */
export interface SandboxAddress {
  readonly httpUrl: string;
  readonly httpsUrl: string;
  readonly ca: string;
  readonly secretId: string;
  readonly secretKey: string;
}

// The quota of the gateway is measured, not that of the sandbox.
const sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 100_000 });
const [credentials] = sandbox.credentials;
const { httpUrl, httpsUrl, ca } = sandbox;
process.on('message', () => process.send!(sandbox.state().statistics));
process.send!({ httpUrl, httpsUrl, ca, ...credentials! } satisfies SandboxAddress);
