import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../../src/config/index';

const SECRET = 's'.repeat(32);

describe('loadConfig', () => {
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-config-'));
  });

  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  it('gives every default in dev and listens on this machine only', () => {
    const config = loadConfig({ DATA_DIR: dataDir });
    expect(config).toMatchObject({ env: 'dev', host: '127.0.0.1', port: 3000, isProduction: false });
    expect(config.vars).toMatchObject({
      TOKEN_EXPIRY_MINUTES: 30,
      MAX_FUNCTION_CALLS: 10,
      ANALYZER_CACHE_SIZE: 1024,
      BACKGROUND_TASK_TIMEOUT: 5,
      RETRY_BASE_DELAY_MS: 1000,
      HOLD_LEASE_MS: 15_000,
      DEFAULT_MAX_OUTPUT_TOKENS: 4096,
    });
  });

  it('takes empty variables as unset', () => {
    expect(loadConfig({ DATA_DIR: dataDir, PORT: '', OPENAI_API_KEY: '' }).port).toBe(3000);
  });

  it.each([
    ['PORT', 'abc'],
    ['PORT', '70000'],
    ['LATTICE_ENV', 'staging'],
    ['DATABASE_URL', 'mysql://root:hunter2@db/x'],
    ['OPENAI_BASE_URL', 'not-a-url-hunter2'],
    ['LATTICE_ADMIN_PASSWORD', 'hunter2'],
    ['METRICS_TOKEN', 'hunter2'],
  ])('refuses %s=%s, naming the variable and not its value', (name, value) => {
    const load = () => loadConfig({ DATA_DIR: dataDir, [name]: value });
    expect(load).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', message: expect.stringContaining(name) }),
    );
    expect(load).not.toThrow(expect.objectContaining({ message: expect.stringContaining('hunter2') }));
  });

  it('refuses production without a secret key, naming the variable', () => {
    expect(() => loadConfig({ LATTICE_ENV: 'production', DATA_DIR: dataDir })).toThrow(
      expect.objectContaining({
        code: 'SECURITY_CONFIGURATION',
        message: expect.stringContaining('LATTICE_SECRET_KEY'),
      }),
    );
  });

  it.each([
    ['production', 'open', 'admin', true],
    ['production', 'open', 'operator', false],
    ['production', 'invite', 'admin', false],
    ['production', 'closed', 'admin', false],
    ['dev', 'open', 'admin', false],
  ] as const)(
    'in %s with registration %s and the default role %s: refuses %p',
    (LATTICE_ENV, AUTH_REGISTRATION, AUTH_DEFAULT_ROLE, isRefused) => {
      const load = () =>
        loadConfig({
          LATTICE_ENV,
          DATA_DIR: dataDir,
          LATTICE_SECRET_KEY: SECRET,
          AUTH_REGISTRATION,
          AUTH_DEFAULT_ROLE,
        });
      if (!isRefused) expect(load).not.toThrow();
      else {
        expect(load).toThrow(
          expect.objectContaining({
            code: 'SECURITY_CONFIGURATION',
            message: expect.stringMatching(/AUTH_DEFAULT_ROLE.*AUTH_REGISTRATION/),
          }),
        );
      }
    },
  );

  it('refuses a short secret key without showing it', () => {
    const load = () =>
      loadConfig({ LATTICE_ENV: 'production', DATA_DIR: dataDir, LATTICE_SECRET_KEY: 'short-hunter2' });
    expect(load).toThrow(expect.objectContaining({ message: expect.stringContaining('LATTICE_SECRET_KEY') }));
    expect(load).not.toThrow(expect.objectContaining({ message: expect.stringContaining('hunter2') }));
  });

  it('makes a key outside production, keeps it private to its owner and finds it again', () => {
    const first = loadConfig({ DATA_DIR: dataDir }).secretKey;
    const file = path.join(dataDir, 'secret.key');
    expect(first.isGenerated).toBe(true);
    expect(loadConfig({ DATA_DIR: dataDir }).secretKey.reveal()).toBe(first.reveal());
    expect(readFileSync(file, 'utf8')).toBe(first.reveal());
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('never prints the secret key', () => {
    const { secretKey } = loadConfig({ LATTICE_SECRET_KEY: SECRET, DATA_DIR: dataDir });
    expect(secretKey.toString() + JSON.stringify({ secretKey })).not.toContain(SECRET);
  });

  it('asks for both halves of the administrator account', () => {
    expect(() => loadConfig({ DATA_DIR: dataDir, LATTICE_ADMIN_EMAIL: 'a@example.com' })).toThrow(
      'LATTICE_ADMIN_PASSWORD',
    );
  });

  it.each([
    [{ OPENAI_API_KEY: 'k' }, 'openai', true],
    [{ OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' }, 'openai', true],
    [{ AZURE_OPENAI_API_KEY: 'k' }, 'azure', false],
    [{ AZURE_OPENAI_API_KEY: 'k', AZURE_OPENAI_ENDPOINT: 'https://x.openai.azure.com' }, 'azure', true],
    [{ AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }, 'bedrock', false],
    [{ AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_REGION: 'eu-west-1' }, 'bedrock', true],
    [{ AWS_BEARER_TOKEN_BEDROCK: 'k' }, 'bedrock', false],
    [{ AWS_BEARER_TOKEN_BEDROCK: 'k', AWS_REGION: 'eu-west-1' }, 'bedrock', true],
    [{ OLLAMA_BASE_URL: 'http://127.0.0.1:11434' }, 'local', true],
    [{ DIAL_API_KEY: 'k' }, 'dial', false],
    [{ DIAL_API_KEY: 'k', DIAL_API_URL: 'https://dial.example.com' }, 'dial', true],
  ] as const)('reads from %p whether %s is configured: %p', (env, provider, isConfigured) => {
    const config = loadConfig({ DATA_DIR: dataDir, ...env });
    expect(config.providers[provider].isConfigured).toBe(isConfigured);
    expect(config.providers[provider].variables.length).toBeGreaterThan(0);
  });

  it('prefers an API key of Bedrock, and needs no region for it beside a base URL', () => {
    const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
    const awsOf = (env: Record<string, string>) =>
      loadConfig({ DATA_DIR: dataDir, ...keys, ...env }).providers.bedrock.aws;
    const region = { AWS_REGION: 'eu-west-1' };
    expect(awsOf({ ...region, AWS_BEARER_TOKEN_BEDROCK: 'k' })).toEqual({ apiKey: 'k', region: 'eu-west-1' });
    expect(awsOf({ BEDROCK_BASE_URL: 'http://a.test', AWS_BEARER_TOKEN_BEDROCK: 'k' })).toEqual({
      apiKey: 'k',
    });
    expect(awsOf(region)).toMatchObject({ accessKeyId: 'a', secretAccessKey: 'b' });
  });

  it.each([
    ['auto', 'dev', true],
    ['auto', 'production', false],
    ['on', 'production', true],
    ['off', 'dev', false],
  ] as const)(
    'with LATTICE_SANDBOX=%s in %s the sandbox may run: %p',
    (LATTICE_SANDBOX, LATTICE_ENV, allowed) => {
      const config = loadConfig({
        DATA_DIR: dataDir,
        LATTICE_SECRET_KEY: SECRET,
        LATTICE_SANDBOX,
        LATTICE_ENV,
      });
      expect(config.isSandboxAllowed).toBe(allowed);
    },
  );
});
