import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildAuthConfig } from './auth-config.js';
import { Environment } from './environment.js';

const CONTENT = JSON.stringify([{ name: 'room-service', keySha256: 'a1'.repeat(32) }]);

let folder: string;
let path: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'auth-config-'));
  path = join(folder, 'callers.json');
  writeFileSync(path, CONTENT);
});

afterAll(() => rmSync(folder, { recursive: true }));

function build(variables: Partial<Environment>) {
  const errors: string[] = [];
  const config = buildAuthConfig(Object.assign(new Environment(), variables), errors);
  return { config, errors };
}

describe('the configuration of authentication', () => {
  it('contains the callers of CALLERS_FILE and a fingerprint of the file in nanoseconds', () => {
    const { config, errors } = build({ CALLERS_FILE: path });
    expect(errors).toEqual([]);
    expect(config.callersFile).toEqual({
      path,
      content: CONTENT,
      callers: [{ name: 'room-service', keySha256: 'a1'.repeat(32), sdkAppIds: undefined }],
      fingerprint: expect.stringMatching(/^\d+:\d+:\d+:\d{19}:\d{19}$/),
    });
  });

  it('requires CALLERS_FILE or ALLOW_ANONYMOUS', () => {
    expect(build({}).errors).toEqual([expect.stringMatching(/^CALLERS_FILE is missing /)]);
  });

  it('lists every error of the file with the name of the variable', () => {
    const wrong = join(folder, 'wrong.json');
    writeFileSync(wrong, '[{"name":"a","keySha256":"x"},1]');
    expect(build({ CALLERS_FILE: wrong })).toEqual({
      config: { callersFile: undefined },
      errors: [
        'CALLERS_FILE: entry 1 (a): keySha256 must be 64 hexadecimal digits',
        'CALLERS_FILE: entry 2 is not an object',
      ],
    });
  });

  it('reports a file that cannot be read', () => {
    expect(build({ CALLERS_FILE: join(folder, 'missing') }).errors).toEqual([
      expect.stringMatching(/^CALLERS_FILE: .*ENOENT/),
    ]);
  });
});
