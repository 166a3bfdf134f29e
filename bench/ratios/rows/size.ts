import { execFileSync } from 'node:child_process';
import type { Row } from '../row.js';

export const size: Row = {
  name: 'size',
  work: 'what production needs on disk: node_modules without development dependencies, and the built gateway',
  async measure() {
    const packages = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], { encoding: 'utf8' });
    // The first line is this package itself; folders inside of others are counted with those.
    const [, ...folders] = packages.trim().split('\n');
    const outermost = folders.filter((each) => !folders.some((other) => each.startsWith(`${other}/`)));
    const built = ['dist/apps/gateway', 'dist/libs'];
    const sizes = execFileSync('du', ['-sk', ...outermost, ...built], { encoding: 'utf8' });
    const kib = sizes
      .trim()
      .split('\n')
      .reduce((sum, line) => sum + Number(line.split('\t')[0]), 0);
    return [
      {
        what: 'node_modules + dist, MiB',
        ours: { name: 'gateway', values: [kib / 1024] },
        target: { atMost: 120 },
      },
    ];
  },
};
