import { execFileSync } from 'node:child_process';
import type { Row } from '../row.js';

export const size: Row = {
  name: 'size',
  workload: 'the contents of the image besides Node.js: the bundle, and the packages outside it',
  async measure() {
    const sizes = execFileSync('du', ['-sk', 'dist/gateway', 'node_modules/swagger-ui-dist'], {
      encoding: 'utf8',
    });
    const kib = sizes
      .trim()
      .split('\n')
      .reduce((sum, line) => sum + Number(line.split('\t')[0]), 0);
    return [
      {
        metric: 'bundle and packages, MiB',
        measured: { name: 'gateway', values: [kib / 1024] },
        target: { atMost: 120 },
      },
    ];
  },
};
