import { project, run } from './jest.config.js';

/**
 * Tests that measure time, that run several replicas, that take long, or that need nginx, HAProxy, Prometheus, Chromium
 * or buildah.
 * Also the properties of the quota, with their full counts; `npm test` runs a tenth of most of them.
 *
 * @type {import('jest').Config}
 */
export default {
  ...run,
  ...project,
  roots: ['<rootDir>/test', '<rootDir>/libs/quota'],
  testMatch: ['**/*.system-spec.ts', '**/*.property.spec.ts'],
  globals: { isSystemTest: true },
  // Other tests must not affect measurements.
  maxWorkers: 1,
  // External programs and a busy machine need time.
  testTimeout: 240_000,
};
