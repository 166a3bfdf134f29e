import { execFile } from 'node:child_process';
import { appendFile, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { tempFolderFixture } from '../../support/fixtures.js';

const folder = await tempFolderFixture();
const source = join(folder, 'apps/gateway/src/main.ts');
const write = async (name: string, text: string): Promise<void> => {
  await mkdir(join(folder, name, '..'), { recursive: true });
  await writeFile(join(folder, name), text);
};

/** Creates a repository whose compiler and bundler only print that they ran. */
beforeEach(async () => {
  await rm(folder, { recursive: true });
  await mkdir(folder);
  for (const name of ['package.json', 'build.mjs', 'link-node.mjs']) await copyFile(name, join(folder, name));
  await write('apps/gateway/src/main.ts', '');
  await write('apps/gateway/bundle.mjs', `process.stdout.write('bundled\\n');`);
  await write(
    'node_modules/@nestjs/cli/bin/nest.js',
    `const { mkdirSync, writeFileSync } = require('node:fs');
     mkdirSync('dist/gateway', { recursive: true });
     writeFileSync('dist/gateway/main.js', "process.stdout.write('started')");`,
  );
  await write('node_modules/@nestjs/cli/package.json', '{ "type": "commonjs" }');
});

const start = () => promisify(execFile)('npm', ['start', '--silent'], { cwd: folder });
const built = { stdout: 'started', stderr: 'bundled\n' };
const builtAgain = {
  stdout: 'started',
  stderr: 'The sources have changed since the last build: building.\nbundled\n',
};
const notBuilt = { stdout: 'started', stderr: '' };

describe('npm start', () => {
  it('builds when there is no build, and not again while the sources are unchanged', async () => {
    expect(await start()).toEqual(built);
    expect(await start()).toEqual(notBuilt);
  });

  it('builds again after a source or a setting has changed', async () => {
    await start();
    await appendFile(source, '// changed');
    expect(await start()).toEqual(builtAgain);
    await rm(source);
    expect(await start()).toEqual(builtAgain);
    await write('tsconfig.json', '{}');
    expect(await start()).toEqual(builtAgain);
  });

  it('does not build again when only a spec has changed', async () => {
    await start();
    await write('apps/gateway/src/main.spec.ts', '');
    expect(await start()).toEqual(notBuilt);
  });

  it('runs the existing build in a production installation, which has no compiler', async () => {
    await start();
    await appendFile(source, '// changed');
    await rm(join(folder, 'node_modules'), { recursive: true });
    expect(await start()).toEqual(notBuilt);
    for (const name of ['apps', 'build.mjs']) await rm(join(folder, name), { recursive: true });
    expect(await start()).toEqual(notBuilt);
  });

  it('does not start the gateway when the build fails', async () => {
    await write('apps/gateway/bundle.mjs', 'process.exitCode = 3');
    await expect(start()).rejects.toMatchObject({ code: 3, stdout: '' });
  });
});
