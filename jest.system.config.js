import { alone, run } from './jest.config.js';

/**
 * Tests that need programs which are not everywhere: Prometheus, promtool, Chromium.
 *
 * @type {import('jest').Config}
 */
export default {
  ...run,
  projects: [
    {
      ...alone,
      displayName: 'system',
      roots: ['<rootDir>/test'],
      testMatch: ['**/*.system-spec.ts'],
    },
  ],
};
