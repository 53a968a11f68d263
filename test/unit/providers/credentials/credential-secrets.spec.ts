import { loadConfig } from '../../../../src/config/index';
import { CredentialSecrets } from '../../../../src/providers/credentials/credential-secrets';

const [NEW_KEY, OLD_KEY] = ['n'.repeat(48), 'o'.repeat(48)];
const BOUND = { id: 'id-1', userId: 'user-1', provider: 'openai' };
const SECRET = { apiKey: 'the-key-of-an-owner-0123456789' };

const secretsOf = (key: string, previous?: string): CredentialSecrets =>
  new CredentialSecrets(
    loadConfig({ LATTICE_ENV: 'test', LATTICE_SECRET_KEY: key, LATTICE_PREVIOUS_SECRET_KEYS: previous }),
  );

describe(CredentialSecrets.name, () => {
  const secrets = secretsOf(NEW_KEY);

  it('opens what it sealed, keys of both kinds', () => {
    expect(secrets.open(BOUND, secrets.seal(BOUND, SECRET))).toEqual(SECRET);
    const aws = { aws: { accessKeyId: 'A'.repeat(20), secretAccessKey: 's', region: 'eu-west-1' } };
    expect(secrets.open(BOUND, secrets.seal(BOUND, aws))).toEqual(aws);
  });

  it('shows nothing of the key, and never twice the same', () => {
    const [first, second] = [secrets.seal(BOUND, SECRET), secrets.seal(BOUND, SECRET)];
    expect(first.includes(SECRET.apiKey.slice(0, 8))).toBe(false);
    expect(first.equals(second)).toBe(false);
  });

  it.each([
    ['another owner', { ...BOUND, userId: 'user-2' }],
    ['another provider', { ...BOUND, provider: 'xai' }],
    ['another row', { ...BOUND, id: 'id-2' }],
  ])('opens for nothing else: %s', (_, bound) => {
    expect(secrets.open(bound, secrets.seal(BOUND, SECRET))).toBeUndefined();
  });

  it('does not open what was altered', () => {
    const sealed = secrets.seal(BOUND, SECRET);
    sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
    expect(secrets.open(BOUND, sealed)).toBeUndefined();
  });

  it('opens what an earlier secret key sealed while that is named, and tells it by its head', () => {
    const sealed = secretsOf(OLD_KEY).seal(BOUND, SECRET);
    const rotated = secretsOf(NEW_KEY, OLD_KEY);
    expect(rotated.open(BOUND, sealed)).toEqual(SECRET);
    const headOf = (value: Buffer): Buffer => value.subarray(0, rotated.currentHead.length);
    expect(headOf(sealed)).not.toEqual(rotated.currentHead);
    expect(headOf(rotated.seal(BOUND, SECRET))).toEqual(rotated.currentHead);
    expect(secrets.open(BOUND, sealed)).toBeUndefined();
  });
});
