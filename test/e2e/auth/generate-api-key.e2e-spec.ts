import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const generateApiKey = (...names: string[]) =>
  run(process.execPath, ['dist/gateway/generate-api-key.js', ...names]);

describe('npm run generate-api-key', () => {
  it('prints a new key once, and its entry for CALLERS_FILE', async () => {
    const outputs = await Promise.all([generateApiKey('room-service'), generateApiKey('room-service')]);
    const keys = outputs.map(({ stdout }) => /^ {2}(igw_[\w-]{43})$/m.exec(stdout)![1]!);
    expect(new Set(keys).size).toBe(2);
    for (const [n, { stdout }] of outputs.entries()) {
      const entry: unknown = JSON.parse(/^ {2}(\{.*\})$/m.exec(stdout)![1]!);
      expect(entry).toEqual({ name: 'room-service', keySha256: hash('sha256', keys[n]!) });
      expect(stdout.split(keys[n]!)).toHaveLength(2);
    }
  });

  it.each([[[]], [['a b']], [['anonymous']], [['a', 'b']]])(
    'prints its usage for the arguments %j',
    async (names) => {
      await expect(generateApiKey(...names)).rejects.toMatchObject({
        code: 64,
        stdout: '',
        stderr: expect.stringMatching(/^usage: npm run generate-api-key -- <name>\nThe name must be /),
      });
    },
  );
});
