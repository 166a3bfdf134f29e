import { afterAll } from '@jest/globals';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { type Gateway, type Overrides, startGateway } from './gateway.js';
import { createTempFolder } from './temp-folder.js';

/** Starts a sandbox for all tests of a file. It is closed after them. */
export async function sandboxFixture(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  afterAll(() => sandbox.close());
  return sandbox;
}

/** Starts a sandbox and a gateway for all tests of a file. They are closed after them. */
export async function gatewayFixture(
  options: SandboxOptions = {},
  variables: Record<string, string> = {},
  overrides: Overrides = {},
): Promise<{ sandbox: Sandbox; gateway: Gateway }> {
  const sandbox = await startSandbox(options);
  const gateway = await startGateway(sandbox, variables, overrides);
  afterAll(async () => {
    await gateway.close();
    await sandbox.close();
  });
  return { sandbox, gateway };
}

/** Creates a folder for all tests of a file. It is removed after them. @returns its path */
export async function tempFolderFixture(): Promise<string> {
  const folder = await createTempFolder();
  afterAll(() => folder.remove());
  return folder.path;
}
