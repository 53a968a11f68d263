import { PROVIDER_IDS } from '../../../../src/common/index';
import { loadConfig } from '../../../../src/config/index';
import {
  CREDENTIAL_PROVIDERS,
  hintOf,
  ownSettings,
  takesOwnCredential,
} from '../../../../src/providers/credentials/credential-secret';

const AWS = { accessKeyId: 'AKIAEXAMPLE00001234', secretAccessKey: 'owner-secret', region: 'eu-west-1' };
const config = (env: Record<string, string> = {}) =>
  loadConfig({ LATTICE_ENV: 'test', LATTICE_SECRET_KEY: 'x'.repeat(48), ...env }).providers;

describe(hintOf.name, () => {
  it.each([
    [{ apiKey: 'k'.repeat(16) + '1234' }, '1234'],
    [{ apiKey: 'k'.repeat(15) + '1234' }, null],
    [{ apiKey: 'short-key' }, null],
    [{ aws: AWS }, '1234'],
    [{ aws: { apiKey: 'k'.repeat(16) + '1234', region: 'eu-west-1' } }, '1234'],
    [{ aws: { apiKey: 'short-key', region: 'eu-west-1' } }, null],
  ])('of %j is %s', (secret, hint) => {
    expect(hintOf(secret)).toBe(hint);
  });
});

describe(takesOwnCredential.name, () => {
  it('is so for every provider but local and the sandbox, and needs the installation’s address of some', () => {
    const taken = (env?: Record<string, string>) =>
      PROVIDER_IDS.filter((provider) => takesOwnCredential(provider, config(env)[provider]));
    const withAddress = taken({ AZURE_OPENAI_ENDPOINT: 'https://a.test', DIAL_API_URL: 'https://d.test' });
    expect(withAddress).toEqual(CREDENTIAL_PROVIDERS);
    expect(withAddress).not.toContain('local');
    expect(withAddress).not.toContain('sandbox');
    expect(taken()).toEqual(withAddress.filter((provider) => provider !== 'azure' && provider !== 'dial'));
  });
});

describe(ownSettings.name, () => {
  it('has the installation’s address and none of its credentials', () => {
    const { openai, bedrock } = config({
      OPENAI_API_KEY: 'installation-key',
      OPENAI_BASE_URL: 'https://proxy.test/v1',
      AWS_ACCESS_KEY_ID: 'installation-id',
      AWS_SECRET_ACCESS_KEY: 'installation-secret',
      AWS_SESSION_TOKEN: 'installation-token',
      AWS_REGION: 'us-east-1',
    });
    const key = ownSettings(openai, { apiKey: 'owner-key' });
    expect(key).toMatchObject({ apiKey: 'owner-key', baseUrl: 'https://proxy.test/v1', isConfigured: true });
    const aws = ownSettings(bedrock, { aws: AWS });
    expect(aws.aws).toEqual(AWS);
    const both = ownSettings({ ...openai, aws: bedrock.aws }, { apiKey: 'owner-key' });
    expect(JSON.stringify([key, aws, both])).not.toContain('installation');
  });
});
