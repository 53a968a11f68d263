import { type AppConfig, loadConfig } from '../../../src/config/index';

/** A configuration without any file or database behind it. */
export function testConfig(env: NodeJS.ProcessEnv = {}): AppConfig {
  return loadConfig({
    LATTICE_ENV: 'test',
    LATTICE_SECRET_KEY: 'a-secret-for-tests-only-0123456789',
    ...env,
  });
}
