import { alone, run } from './jest.config.js';

/**
 * Tests that need programs which are not everywhere: Prometheus, promtool, Chromium.
 *
 * @type {import('jest').Config}
 */
export default {
  ...run,
  // Other people's programs take their time, and so does a busy machine.
  testTimeout: 240_000,
  projects: [
    {
      ...alone,
      displayName: 'system',
      roots: ['<rootDir>/test'],
      testMatch: ['**/*.system-spec.ts'],
    },
  ],
};
