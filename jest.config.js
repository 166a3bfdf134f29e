/** How any test file runs: TypeScript as native ESM. */
export const project = {
  testEnvironment: 'node',
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2024',
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    '^#libs/(.*)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
};

/** How all of them run. */
export const run = {
  maxWorkers: 2,
  testTimeout: 60_000,
  globalTeardown: '<rootDir>/test/support/exit-watch.js',
};

/** @type {import('jest').Config} */
export default { ...run, ...project, testMatch: ['**/*.spec.ts', '**/*.e2e-spec.ts'] };
