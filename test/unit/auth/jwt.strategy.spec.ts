import { JwtService, type JwtSignOptions } from '@nestjs/jwt';
import { ACCESS_TOKEN } from '../../../src/auth/credentials/access-token';
import { AccessTokenService } from '../../../src/auth/credentials/access-token.service';
import { JwtStrategy } from '../../../src/auth/credentials/jwt.strategy';
import { EVENT_TOKEN } from '../../../src/auth/credentials/scoped-token.service';
import { newId, toApiId } from '../../../src/common/index';
import { testConfig } from './support';

const config = testConfig();
const jwt = new JwtService({});
const strategy = new JwtStrategy(config);

/** A token like ours, but for what the test changes. Undefined takes a claim away. */
function sign(payload: object = {}, options: JwtSignOptions = {}): string {
  const all: JwtSignOptions = {
    secret: config.keys.current(ACCESS_TOKEN.keyPurpose).key,
    algorithm: 'HS256',
    issuer: 'lattice',
    audience: 'lattice-api',
    subject: toApiId('usr', newId()),
    jwtid: newId(),
    expiresIn: 60,
    ...options,
  };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return jwt.sign({ token_type: 'access', sid: newId(), ...payload }, given);
}

const rotated = testConfig({
  LATTICE_SECRET_KEY: 'another-secret-for-tests-0123456789',
  LATTICE_PREVIOUS_SECRET_KEYS: 'a-secret-for-tests-only-0123456789',
});
const key = (of: typeof config, index: number): Buffer =>
  of.keys.all(ACCESS_TOKEN.keyPurpose)[index]?.key ?? Buffer.alloc(32);
const keyId = (of: typeof config, index: number): string =>
  of.keys.all(ACCESS_TOKEN.keyPurpose)[index]?.id ?? '';
const eventSignature = {
  secret: config.keys.current(EVENT_TOKEN.keyPurpose).key,
  keyid: config.keys.current(EVENT_TOKEN.keyPurpose).id,
};

function unsigned(token: string, kid?: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT', kid })).toString('base64url');
  return `${header}.${token.split('.')[1]}.`;
}

function altered(token: string): string {
  const [header, payload = '', signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const forged = { ...claims, sub: toApiId('usr', newId()) };
  return `${header}.${Buffer.from(JSON.stringify(forged)).toString('base64url')}.${signature}`;
}

describe(JwtStrategy.name, () => {
  it('accepts what AccessTokenService issues', async () => {
    const [userId, sessionId] = [newId(), newId()];
    const { token, expiresInSeconds } = await new AccessTokenService(jwt, config).issue(userId, sessionId);
    expect(expiresInSeconds).toBe(1800);
    const claims = await strategy.verify(token);
    expect(claims).toMatchObject({ userId, sessionId, tokenId: expect.any(String) });
    expect(Math.abs((claims?.expiresAtMs ?? 0) - Date.now() - 1_800_000)).toBeLessThan(5000);
  });

  it('gives every token an id of its own', async () => {
    const tokens = new AccessTokenService(jwt, config);
    const [one, other] = await Promise.all([tokens.issue(newId(), newId()), tokens.issue(newId(), newId())]);
    const ids = await Promise.all(
      [one, other].map(async ({ token }) => (await strategy.verify(token))?.tokenId),
    );
    expect(new Set(ids).size).toBe(2);
  });

  it('bears clocks that differ by up to five seconds', async () => {
    await expect(strategy.verify(sign({}, { expiresIn: -3 }))).resolves.toBeDefined();
    await expect(strategy.verify(sign({}, { expiresIn: -8 }))).resolves.toBeUndefined();
  });

  it('names the key it signed with, and accepts those of the secret before it', async () => {
    const before = await new AccessTokenService(jwt, config).issue(newId(), newId());
    const after = await new AccessTokenService(jwt, rotated).issue(newId(), newId());
    expect(jwt.decode(before.token, { complete: true })).toMatchObject({ header: { kid: keyId(config, 0) } });
    const changed = new JwtStrategy(rotated);
    await expect(changed.verify(before.token)).resolves.toBeDefined();
    await expect(changed.verify(after.token)).resolves.toBeDefined();
    await expect(strategy.verify(after.token)).resolves.toBeUndefined();
  });

  it.each<[string, () => string]>([
    ['the key before, unnamed', () => sign({}, { secret: key(rotated, 1) })],
    [
      'the key before under the name of the current one',
      () => sign({}, { keyid: keyId(rotated, 0), secret: key(rotated, 1) }),
    ],
    ['an unsigned token that names a key', () => unsigned(sign(), keyId(rotated, 1))],
  ])('refuses, after a rotation, %s', async (_name, token) => {
    await expect(new JwtStrategy(rotated).verify(token())).resolves.toBeUndefined();
  });

  it.each<[string, () => string]>([
    ['an unsigned token', () => unsigned(sign())],
    ['an altered payload', () => altered(sign())],
    ['the undeveloped secret as key', () => sign({}, { secret: config.secretKey.reveal() })],
    ['a key derived for another purpose', () => sign({}, { secret: config.keys.current('other').key })],
    ['another HMAC algorithm', () => sign({}, { algorithm: 'HS512' })],
    ['another audience', () => sign({}, { audience: 'someone-else' })],
    ['no audience', () => sign({}, { audience: undefined })],
    ['another issuer', () => sign({}, { issuer: 'someone-else' })],
    ['another token type', () => sign({ token_type: 'sse' })],
    ['no token type', () => sign({ token_type: undefined })],
    ['no expiry', () => sign({}, { expiresIn: undefined })],
    ['no token id', () => sign({}, { jwtid: undefined })],
    ['a subject that is no user', () => sign({}, { subject: toApiId('key', newId()) })],
    ['no session', () => sign({ sid: undefined })],
    ['a session that is no id', () => sign({ sid: 'main' })],
    ['a token id that is none of ours', () => sign({}, { jwtid: 'first' })],
    ['a key id that is not ours', () => sign({}, { keyid: '00000000' })],
    ['a key id that is no text', () => sign({}, { header: { alg: 'HS256', kid: 7 as unknown as string } })],
    ['a key of the event tokens', () => sign({}, eventSignature)],
    ['a header that is no JSON', () => `bm90IGpzb24.${sign().split('.').slice(1).join('.')}`],
    ['text that is no token', () => 'not.a.token'],
    ['nothing', () => ''],
  ])('refuses %s', async (_name, token) => {
    await expect(strategy.verify(token())).resolves.toBeUndefined();
  });
});
