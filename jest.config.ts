import type { Config } from 'jest';

const project: Config = {
  testEnvironment: 'node',
  moduleFileExtensions: ['ts', 'js', 'json'],
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json' }] },
};

const tier = (displayName: string, suffix: string): Config => ({
  ...project,
  displayName,
  roots: [`<rootDir>/test/${displayName}`],
  testMatch: [`**/*${suffix}.ts`],
});

const unit = tier('unit', '.spec');

const withDatabase: Config = {
  globalSetup: '<rootDir>/test/support/database/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/database/global-teardown.ts',
};

const config: Config = {
  projects: [
    // With src among its roots: a source file that no test loads counts as uncovered instead of not at all.
    { ...unit, roots: ['<rootDir>/src', ...(unit.roots ?? [])] },
    tier('architecture', '.spec'),
    { ...tier('integration', '.int-spec'), ...withDatabase },
    { ...tier('contract', '.contract-spec'), ...withDatabase },
    { ...tier('e2e', '.e2e-spec'), ...withDatabase },
    { ...tier('proof', '.proof-spec'), ...withDatabase },
  ],
  testTimeout: 30_000,
  maxWorkers: 2,
  // A worker keeps what the modules of every suite leave behind; before its heap is full another one takes its place.
  workerIdleMemoryLimit: '1GB',
  collectCoverageFrom: [
    'src/**/*.ts',
    '!src/main.ts',
    '!src/openapi.ts',
    '!src/**/migrations/**',
    '!src/**/index.ts',
  ],
  // Counts statements and functions, not the lines of comments and types.
  coverageProvider: 'babel',
  coverageReporters: ['text-summary', 'lcov', 'json-summary'],
  coverageDirectory: 'coverage',
};

export default config;
