import { execFile } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

/** What the demo prints when it is called wrongly; nothing of it reads from a terminal. */
function demo(variables: Record<string, string>): Promise<string> {
  return new Promise((done) => {
    execFile(process.execPath, ['dist/apps/demo/src/main.js', '--what'], { env: variables }, (_, stdout) =>
      done(stdout),
    );
  });
}

const PLAIN = '✗ unknown option --what; the demo knows --keep and no other\n';

describe('the demo', () => {
  it('is plain where no terminal reads', async () => {
    expect(await demo({})).toBe(PLAIN);
    expect(await demo({ NO_COLOR: '1' })).toBe(PLAIN);
  });

  it('is in colour when FORCE_COLOR demands it', async () => {
    expect(await demo({ FORCE_COLOR: '1' })).toBe(`\u001b[31m${PLAIN.trimEnd()}\u001b[39m\n`);
  });
});
