import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const page = await readFile('SECURITY.md', 'utf8');
const [, section = ''] = /### Tests of the controls\n([^]*?)\n## /.exec(page) ?? [];
const links = [...section.matchAll(/\[((?:\\.|[^\]\\])+)\]\(([^)]+spec\.ts)\)/g)].map(
  ([, title = '', path = '']) => [title.replaceAll('\\', ''), path] as const,
);

describe('SECURITY.md', () => {
  it.each(links)('names the test "%s", which exists in %s', async (title, path) => {
    expect(await readFile(path, 'utf8')).toContain(title);
  });

  it('names a test for each control', () => {
    expect(links.length).toBeGreaterThanOrEqual(35);
  });
});

describe('npm run check:release', () => {
  it('fails exactly while SECURITY.md has no address for reports', async () => {
    const hasPlaceholder = page.includes('<private address for reports>');
    const { code } = await run('npm', ['run', '--silent', 'check:release']).then(
      () => ({ code: 0 }),
      (error: { code: number }) => error,
    );
    expect(code).toBe(hasPlaceholder ? 1 : 0);
  });
});
