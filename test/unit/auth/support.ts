import type { VisitorContext } from '../../../src/auth/accounts/visitor';
import { newId, newTraceId } from '../../../src/common/index';
import { type AppConfig, loadConfig } from '../../../src/config/index';

/** A configuration without any file or database behind it. */
export function testConfig(env: NodeJS.ProcessEnv = {}): AppConfig {
  return loadConfig({
    LATTICE_ENV: 'test',
    LATTICE_SECRET_KEY: 'a-secret-for-tests-only-0123456789',
    ...env,
  });
}

/** Somebody who calls a public route. */
export const visitor: VisitorContext = {
  requestId: newId(),
  traceId: newTraceId(),
  signal: new AbortController().signal,
  address: '192.0.2.1',
};
