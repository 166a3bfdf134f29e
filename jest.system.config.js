import config from './jest.config.js';

/**
 * Tests that need programs which are not everywhere: Prometheus, promtool, Chromium.
 *
 * @type {import('jest').Config}
 */
export default { ...config, roots: ['<rootDir>/test'], testMatch: ['**/*.system-spec.ts'] };
