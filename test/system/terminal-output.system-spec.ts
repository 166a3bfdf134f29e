import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { send, stopTask } from '../support/client.js';
import { gatewayEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { Fifo } from '../support/fifo.js';
import { freePort } from '../support/free-port.js';
import { Subprocess, type SubprocessOptions } from '../support/process.js';
import { type Program, resolveProgram } from '../support/programs.js';
import { sandboxFixture, tempFolderFixture } from '../support/fixtures.js';

const SCRIPT: Program = {
  name: 'script',
  packages: ['bsdutils'],
  installHint: 'Install the one of util-linux.',
};

const sandbox = await sandboxFixture();
const folder = await tempFolderFixture();

/** Runs a shell command on a pseudo-terminal. */
const runCommand = (
  command: string,
  variables: Record<string, string>,
  options: SubprocessOptions = {},
): Subprocess =>
  new Subprocess([resolveProgram(SCRIPT), '-qec', command, '/dev/null'], {
    ...options,
    env: { TERM: 'xterm-256color', ...variables },
  });

/** Runs a program of the build on a pseudo-terminal. */
const runOnTerminal = (program: string, variables: Record<string, string>): Subprocess =>
  runCommand(`${process.execPath} dist/apps/${program}`, variables);

const runDemo = async (variables: Record<string, string>): Promise<string> =>
  (await runOnTerminal('demo/src/main.js --what', variables).finished).stdout;

describe('on a terminal', () => {
  it('the demo prints in colour unless NO_COLOR is set', async () => {
    expect(await runDemo({})).toContain('\u001b[31m✗ unknown option');
    expect(await runDemo({ NO_COLOR: '1' })).toMatch(/^✗ unknown option/);
  });

  it.each([
    ['readable text in colour', {}, true],
    ['readable text without colour when NO_COLOR is set', { NO_COLOR: '1' }, true],
    ['JSON in production', { NODE_ENV: 'production' }, false],
  ])('the gateway logs %s', async (_, variables, isReadable) => {
    const gateway = runOnTerminal('gateway/src/main.js', { ...gatewayEnvironment(sandbox), ...variables });
    const [line] = await gateway.waitForOutput(/^.*listening on.*$/m);
    await gateway.stop('SIGTERM');
    expect(line.startsWith('{')).toBe(!isReadable);
    expect(line.includes('\u001b[')).toBe(isReadable && !('NO_COLOR' in variables));
    expect(/^\[\d\d:\d\d:\d\d\.\d{3}\] .*INFO/.test(line)).toBe(isReadable);
  });

  it('the gateway serves and exits while the terminal shows nothing more', async () => {
    const fifo = new Fifo(folder);
    const port = await freePort();
    const pidFile = join(folder, 'pid');
    const terminal = runCommand(
      `echo $$ > ${pidFile}; exec ${process.execPath} dist/apps/gateway/src/main.js`,
      { ...gatewayEnvironment(sandbox), PORT: String(port) },
      { stdout: fifo.writer },
    );
    fifo.closeWriter();
    const url = `http://127.0.0.1:${port}`;
    await eventually(
      async () => (await send(url, '/readyz', { method: 'GET' }).catch(() => undefined))?.status === 200,
    );
    // Their entries exceed the buffers of the pipe, of `script` and of the terminal.
    for (let call = 0; call < 1000; call += 1) expect((await stopTask(url, 'a\n')).status).toBe(400);
    process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGTERM');
    await eventually(() =>
      send(url, '/livez', { method: 'GET' }).then(
        () => false,
        () => true,
      ),
    );
    const output = fifo.read();
    // `script` exits with the exit code of its command.
    expect(await terminal.finished).toMatchObject({ code: 0 });
    expect(output.text).toContain('invalid-request');
    fifo.closeReader();
  });
});
