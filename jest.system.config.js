import { project, run } from './jest.config.js';

/**
 * Tests that hold a clock to several processes or to a function, and tests that need programs which are not
 * everywhere: Prometheus, promtool, Chromium.
 *
 * @type {import('jest').Config}
 */
export default {
  ...run,
  ...project,
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.system-spec.ts'],
  // What is measured must not depend on what else is running.
  maxWorkers: 1,
  // Other people's programs take their time, and so does a busy machine.
  testTimeout: 240_000,
};
