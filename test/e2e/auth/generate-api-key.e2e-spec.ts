import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const generateApiKey = (...names: string[]) =>
  run(process.execPath, ['dist/apps/gateway/src/generate-api-key.js', ...names]);

describe('npm run generate-api-key', () => {
  it('prints a fresh key once, and the entry that lets it in', async () => {
    const prints = await Promise.all([generateApiKey('room-service'), generateApiKey('room-service')]);
    const keys = prints.map(({ stdout }) => /^ {2}(igw_[\w-]{43})$/m.exec(stdout)![1]!);
    expect(new Set(keys).size).toBe(2);
    for (const [n, { stdout }] of prints.entries()) {
      const entry: unknown = JSON.parse(/^ {2}(\{.*\})$/m.exec(stdout)![1]!);
      expect(entry).toEqual({ name: 'room-service', keySha256: hash('sha256', keys[n]!) });
      expect(stdout.split(keys[n]!)).toHaveLength(2);
    }
  });

  it.each([[[]], [['a b']], [['anonymous']], [['a', 'b']]])(
    'explains itself when called with %j',
    async (names) => {
      await expect(generateApiKey(...names)).rejects.toMatchObject({
        code: 64,
        stdout: '',
        stderr: expect.stringMatching(/^usage: npm run generate-api-key -- <name>\nThe name must be /),
      });
    },
  );
});
