import { execFile } from 'node:child_process';
import { cp, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import openapiTS, { astToString } from 'openapi-typescript';
import { bearerHeader, callerEntry } from '../../support/callers-file.js';
import { send } from '../../support/client.js';
import { gatewayFixture, tempFolderFixture } from '../../support/fixtures.js';

const KEY = 'igw_typed-client';
const TSC = resolve('node_modules/typescript/bin/tsc');
const run = promisify(execFile);

const folder = await tempFolderFixture();
const callersFile = join(folder, 'callers.json');
await writeFile(callersFile, JSON.stringify([callerEntry('typed', KEY)]));
const { sandbox, gateway } = await gatewayFixture(
  { acceptUnknownTasks: true },
  { ALLOW_ANONYMOUS: '', CALLERS_FILE: callersFile },
);
await cp('test/typed-client', folder, { recursive: true });
await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
await symlink(resolve('node_modules'), join(folder, 'node_modules'));

const runClient = (key: string, ...taskIds: string[]) =>
  run(process.execPath, [join(folder, 'stop-tasks.js'), gateway.url, key, ...taskIds]);

describe('a client that is generated from the OpenAPI document', () => {
  it('compiles, and each misuse in it is a compile error', async () => {
    const { text } = await send(gateway.url, '/openapi.json', { method: 'GET', headers: bearerHeader(KEY) });
    const types = astToString(await openapiTS(text));
    await writeFile(join(folder, 'gateway-api.d.ts'), types);
    const compiled = await run(process.execPath, [TSC, '--project', folder]).catch(
      ({ stdout }: { stdout: string }) => ({ stdout }),
    );
    expect(compiled.stdout).toBe('');
    // The compiler is slow on a busy machine.
  }, 300_000);

  it('stops tasks and handles problems by their code', async () => {
    sandbox.setFaults([
      { fault: { kind: 'error', code: 'FailedOperation.TaskNotExist' }, times: 1, taskId: 'unknown' },
    ]);
    const { stdout } = await runClient(KEY, 'a/b=c+d', 'a/b=c+d', 'unknown', 'x\ny');
    expect(stdout.trim().split('\n')).toEqual([
      'a/b=c+d in ap-singapore is stopped',
      'a/b=c+d in ap-singapore is already-finished',
      'unknown: the upstream code is FailedOperation.TaskNotExist (true)',
      'x',
      'y: path id must have 1 to 256 characters, none of them a control character (true)',
    ]);
    const rejected = await runClient('igw_wrong', 'b');
    expect(rejected.stdout).toBe('b: not sent (true)\n');
  });
});
