import { type SandboxOptions, startSandbox } from '../../../apps/sandbox/src/sandbox.js';

/** Where a sandbox is, and who may call it. */
export interface SandboxPlace {
  readonly httpUrl: string;
  readonly httpsUrl: string;
  readonly ca: string;
  readonly secretId: string;
  readonly secretKey: string;
}

const options = JSON.parse(process.env['SANDBOX'] ?? '{}') as SandboxOptions;
// Its quota is not what is measured: the one of the gateway is.
const sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 100_000, ...options });
const [credentials] = sandbox.credentials;
const { httpUrl, httpsUrl, ca } = sandbox;
process.on('message', () => process.send!(sandbox.state().statistics));
process.send!({ httpUrl, httpsUrl, ca, ...credentials! } satisfies SandboxPlace);
