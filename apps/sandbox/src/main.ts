import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxCredentials } from './credentials.js';
import { startSandbox, type SandboxOptions } from './sandbox.js';

const environment = process.env;

function parseOptions(env: NodeJS.ProcessEnv): SandboxOptions {
  const secretId = env['SANDBOX_SECRET_ID'];
  const secretKey = env['SANDBOX_SECRET_KEY'];
  if (Boolean(secretId) !== Boolean(secretKey)) {
    throw new Error('SANDBOX_SECRET_ID and SANDBOX_SECRET_KEY must be set together or not at all');
  }
  return {
    host: env['SANDBOX_HOST'] ?? '127.0.0.1',
    port: integer('SANDBOX_PORT', 4480),
    tlsPort: integer('SANDBOX_TLS_PORT', 4443),
    controlPort: integer('SANDBOX_CONTROL_PORT', 4481),
    sdkAppIds: [integer('SANDBOX_SDK_APP_ID', 1400000001)],
    ...(secretId && secretKey && { credentials: [{ secretId, secretKey }] }),
  };

  function integer(name: string, defaultValue: number): number {
    const value = env[name];
    if (value === undefined) return defaultValue;
    if (!/^\d{1,10}$/.test(value)) throw new Error(`${name} must be an integer of at most 10 digits`);
    return Number(value);
  }
}

async function run(): Promise<void> {
  const options = parseOptions(environment);
  const sandbox = await startSandbox(options);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      void sandbox.close().then(() => process.exit(0));
    });
  }

  const caFile = environment['SANDBOX_CA_FILE'];
  if (caFile) await writeFile(caFile, sandbox.ca);
  const [credentials] = sandbox.credentials;
  const folder = environment['SANDBOX_CREDENTIALS_FOLDER'];
  if (folder && credentials) await writeCredentials(folder, credentials);

  console.log(`The sandbox, a stand-in for Tencent Cloud, listens on
  ${sandbox.httpUrl}
  ${sandbox.httpsUrl}${caFile ? `  (to trust it: NODE_EXTRA_CA_CERTS=${caFile})` : '  (set SANDBOX_CA_FILE=<path> to get the CA certificate)'}
  ${sandbox.controlUrl}  (control API)

Point the gateway at it:
  TRTC_ENDPOINT=${sandbox.httpUrl}
  TRTC_SDK_APP_ID=${options.sdkAppIds?.[0]}`);
  if (folder) {
    console.log(`  TENCENTCLOUD_SECRET_ID_FILE=${join(folder, 'secret-id')}
  TENCENTCLOUD_SECRET_KEY_FILE=${join(folder, 'secret-key')}`);
  } else if (!options.credentials && credentials) {
    console.log(`  TENCENTCLOUD_SECRET_ID=${credentials.secretId}
  TENCENTCLOUD_SECRET_KEY=${credentials.secretKey}
These credentials were generated for this run; only this sandbox accepts them.`);
  }
  console.log(`
Create a task to stop:
  curl -X PUT ${sandbox.controlUrl}/tasks/demo-1 -H 'content-type: application/json' \\
    -d '{"sdkAppId":${options.sdkAppIds?.[0]},"status":"running"}'`);
}

/** Writes the credentials as files that a gateway can read. */
async function writeCredentials(folder: string, { secretId, secretKey }: SandboxCredentials): Promise<void> {
  await writeFile(join(folder, 'secret-id'), secretId, { mode: 0o600 });
  await writeFile(join(folder, 'secret-key'), secretKey, { mode: 0o600 });
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    return `port ${String(error.port)} is in use; set another one with SANDBOX_PORT, SANDBOX_TLS_PORT or SANDBOX_CONTROL_PORT`;
  }
  return error.message;
}

try {
  await run();
} catch (error) {
  console.error(`sandbox: ${describeError(error)}`);
  process.exit(1);
}
