import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';

const DEMO = 'apps/demo/src/main.js';

interface Result {
  readonly exitCode: unknown;
  readonly stdout: string;
}

function runDemo(program: string, options: string[] = [], env: Record<string, string> = {}): Promise<Result> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...options], { env }, (error, stdout) =>
      resolve({ exitCode: error?.code ?? 0, stdout }),
    );
  });
}

async function runWithUnknownOption(env: Record<string, string>): Promise<string> {
  return (await runDemo(`dist/${DEMO}`, ['--what'], env)).stdout;
}

describe('an unknown option', () => {
  const PLAIN = '✗ unknown option --what; the only option is --keep\n';
  it('prints plain text when stdout is not a terminal', async () => {
    expect(await runWithUnknownOption({})).toBe(PLAIN);
    expect(await runWithUnknownOption({ NO_COLOR: '1' })).toBe(PLAIN);
  });

  it('prints in colour when FORCE_COLOR is set', async () => {
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

  let folder: string;

  const put = async (path: string, program: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), program);
  };
  const run = (): Promise<Result> => runDemo(join(folder, DEMO));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'demo-test-'));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await cp('dist/apps/demo', join(folder, 'apps/demo'), { recursive: true });
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('says that the build is missing', async () => {
    const { exitCode, stdout } = await run();
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^✗ cannot start the sandbox: \S+main\.js is missing; run "npm run build" first\n$/,
    );
  });

  it('says why a process ended', async () => {
    await put('apps/sandbox/src/main.js', FAILING);
    expect(await run()).toEqual({
      exitCode: 1,
      stdout: '✗ the sandbox ended with exit code 1: port 4443 is in use\n',
    });
  });

  it('shows the exchange and names the first unexpected value', async () => {
    await put('apps/sandbox/src/main.js', SANDBOX);
    await put('gateway/main.js', GATEWAY);
    const { exitCode, stdout } = await run();
    expect(exitCode).toBe(1);
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
  ] as const)('ends both processes on %s', async (signal, exitCode) => {
    const demo = spawn(process.execPath, [`dist/${DEMO}`, '--keep'], { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    demo.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const exited = once(demo, 'exit');
    await eventually(() => text.includes('1.5 s after start'));
    demo.kill(signal);
    expect(await exited).toEqual([exitCode, null]);
    const urls = text.match(/https?:\/\/127\.0\.0\.1:\d+/g)!;
    expect(urls).toHaveLength(2);
    for (const url of urls)
      await expect(fetch(url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });
});
