import { describe, expect, it } from '@jest/globals';
import { gatewayEnvironment } from '../support/environment.js';
import { Subprocess } from '../support/process.js';
import { type Program, resolveProgram } from '../support/programs.js';
import { sandboxFixture } from '../support/fixtures.js';

const SCRIPT: Program = {
  name: 'script',
  packages: ['bsdutils'],
  installHint: 'Install the one of util-linux.',
};

const sandbox = await sandboxFixture();

/** Runs a program of the build on a pseudo-terminal. */
const runOnTerminal = (program: string, variables: Record<string, string>): Subprocess =>
  new Subprocess([resolveProgram(SCRIPT), '-qec', `${process.execPath} dist/apps/${program}`, '/dev/null'], {
    env: { TERM: 'xterm-256color', ...variables },
  });

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
});
