import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ExitResult, Subprocess } from '../../support/process.js';
import { createTempFolder, type TempFolder } from '../../support/temp-folder.js';

const DEMO = 'apps/demo/src/main.js';

async function runWithUnknownOption(env: Record<string, string>): Promise<string> {
  return (await new Subprocess([process.execPath, `dist/${DEMO}`, '--what'], { env }).finished).stdout;
}

describe('the message about an unknown option', () => {
  const PLAIN = '✗ unknown option --what; the only option is --keep\n';
  it('is plain text when stdout is not a terminal', async () => {
    expect(await runWithUnknownOption({})).toBe(PLAIN);
    expect(await runWithUnknownOption({ NO_COLOR: '1' })).toBe(PLAIN);
  });

  it('is in colour when FORCE_COLOR is set', async () => {
    expect(await runWithUnknownOption({ FORCE_COLOR: '1' })).toBe(`\u001b[31m${PLAIN.trimEnd()}\u001b[39m\n`);
  });
});

describe('a demo that fails', () => {
  const FAILING = `console.error('port 4443 is in use'); process.exit(1);`;
  const SANDBOX = `
    import { createServer } from 'node:http';
    import { writeFileSync } from 'node:fs';
    createServer((_, response) => response.writeHead(204).end()).listen(process.env.SANDBOX_CONTROL_PORT, '127.0.0.1', () =>
      writeFileSync(process.env.SANDBOX_CA_FILE, '-----END CERTIFICATE-----'));`;
  const GATEWAY = `
    import { createServer } from 'node:http';
    createServer(({ method, url }, response) => {
      if (method === 'DELETE') response.writeHead(500, { 'retry-after': 2, 'x-other': 'hidden' });
      response.end(url === '/metrics' ? 'ingest_gateway_quota_slots 20\\nquota_slots_in_use 0\\n' : '{"code":"broken"}');
    }).listen(process.env.PORT, '127.0.0.1');`;

  let folder: TempFolder;

  const writeProgram = async (path: string, program: string): Promise<void> => {
    await mkdir(dirname(join(folder.path, path)), { recursive: true });
    await writeFile(join(folder.path, path), program);
  };
  const run = (): Promise<ExitResult> => new Subprocess([process.execPath, join(folder.path, DEMO)]).finished;

  beforeEach(async () => {
    folder = await createTempFolder();
    await writeFile(join(folder.path, 'package.json'), '{"type":"module"}');
    await cp('dist/apps/demo', join(folder.path, 'apps/demo'), { recursive: true });
  });

  afterEach(() => folder.remove());

  it('reports a missing build', async () => {
    const { code, stdout } = await run();
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^✗ cannot start the sandbox: \S+main\.js is missing; run "npm run build" first\n$/,
    );
  });

  it('reports why a process ended', async () => {
    await writeProgram('apps/sandbox/src/main.js', FAILING);
    expect(await run()).toMatchObject({
      code: 1,
      stdout: '✗ the sandbox ended with exit code 1: port 4443 is in use\n',
    });
  });

  it('prints the exchange and names the first unexpected value', async () => {
    await writeProgram('apps/sandbox/src/main.js', SANDBOX);
    await writeProgram('gateway/main.js', GATEWAY);
    const { code, stdout } = await run();
    expect(code).toBe(1);
    expect(stdout.slice(stdout.indexOf('1. ')).replace(/\d+ ms/, '3 ms')).toBe(`1. Call without a key

   → DELETE /ingest-tasks/demo-1
   ← 500 Internal Server Error  (3 ms)
     retry-after: 2
     {
       "code": "broken"
     }

✗ DELETE /ingest-tasks/demo-1: expected status "401 Unauthorized", got "500 Internal Server Error"
`);
  });
});

describe('a running demo', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stops both processes on %s', async (signal, exitCode) => {
    const demo = new Subprocess([process.execPath, `dist/${DEMO}`, '--keep']);
    await demo.waitForOutput(/1\.5 s after start/);
    const { code, stdout } = await demo.stop(signal);
    expect(code).toBe(exitCode);
    const urls = stdout.match(/https?:\/\/127\.0\.0\.1:\d+/g)!;
    expect(urls).toHaveLength(2);
    for (const url of urls)
      await expect(fetch(url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });
});
