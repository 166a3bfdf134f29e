// Fails while SECURITY.md has no private address for reports: npm run check:release
import { readFileSync } from 'node:fs';

if (readFileSync('SECURITY.md', 'utf8').includes('<private address for reports>')) {
  process.stderr.write('SECURITY.md: replace the placeholder with a private address for reports.\n');
  process.exit(1);
}
