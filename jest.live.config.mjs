// npm run test:live: real calls to every provider whose key is set; not part of `npm test`.
import { existsSync } from 'node:fs';

// The keys stand where a start of the service finds them.
if (existsSync('.env')) process.loadEnvFile('.env');

export default {
  displayName: 'live',
  roots: ['<rootDir>/test/live'],
  testMatch: ['**/*.live-spec.ts'],
  testEnvironment: 'node',
  moduleFileExtensions: ['ts', 'js', 'json'],
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json' }] },
  globalSetup: '<rootDir>/test/support/database/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/database/global-teardown.ts',
  testTimeout: 120_000,
  maxWorkers: 1,
  verbose: true,
};
