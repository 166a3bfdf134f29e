import { execFile, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { eventually } from '../support/eventually.js';
import { variablesFor } from '../support/gateway.js';
import { type Program, resolveProgram } from '../support/programs.js';

const SCRIPT: Program = {
  name: 'script',
  packages: ['bsdutils'],
  installHint: 'It is the one of util-linux that is meant.',
};

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
});

afterAll(() => sandbox.close());

/** Runs a program of the build on a terminal of its own. */
const onTerminal = (program: string): string[] => [
  '-qec',
  `${process.execPath} dist/apps/${program}`,
  '/dev/null',
];

const demo = (variables: Record<string, string>): Promise<string> =>
  new Promise((done) => {
    const env = { TERM: 'xterm-256color', ...variables };
    execFile(resolveProgram(SCRIPT), onTerminal('demo/src/main.js --what'), { env }, (_, stdout) =>
      done(stdout),
    );
  });

describe('on a terminal', () => {
  it('the demo is in colour, unless NO_COLOR is set', async () => {
    expect(await demo({})).toContain('\u001b[31m✗ unknown option');
    expect(await demo({ NO_COLOR: '1' })).toMatch(/^✗ unknown option/);
  });

  it.each([
    ['for a person', {}, true],
    ['in colour only without NO_COLOR', { NO_COLOR: '1' }, true],
    ['as JSON in production', { NODE_ENV: 'production' }, false],
  ])('the gateway logs %s', async (_, variables, readable) => {
    const env = { TERM: 'xterm-256color', ...variablesFor(sandbox), ...variables };
    const child = spawn(resolveProgram(SCRIPT), onTerminal('gateway/src/main.js'), {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await eventually(() => text.includes('listening on'));
    child.kill('SIGTERM');
    const line = text.split('\n').find((each) => each.includes('listening on'))!;
    expect(line.startsWith('{')).toBe(!readable);
    expect(line.includes('\u001b[')).toBe(readable && !('NO_COLOR' in variables));
    expect(/^\[\d\d:\d\d:\d\d\.\d{3}\] .*INFO/.test(line)).toBe(readable);
  });
});
