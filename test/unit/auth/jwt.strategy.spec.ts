import { JwtService, type JwtSignOptions } from '@nestjs/jwt';
import { KEY_PURPOSE } from '../../../src/auth/credentials/access-token';
import { AccessTokenService } from '../../../src/auth/credentials/access-token.service';
import { JwtStrategy } from '../../../src/auth/credentials/jwt.strategy';
import { newId, toApiId } from '../../../src/common/index';
import { testConfig } from './support';

const config = testConfig();
const jwt = new JwtService({});
const strategy = new JwtStrategy(config);

/** A token like ours, but for what the test changes. Undefined takes a claim away. */
function sign(payload: object = {}, options: JwtSignOptions = {}): string {
  const all: JwtSignOptions = {
    secret: config.keys.current(KEY_PURPOSE).key,
    algorithm: 'HS256',
    issuer: 'lattice',
    audience: 'lattice-api',
    subject: toApiId('usr', newId()),
    jwtid: newId(),
    expiresIn: 60,
    ...options,
  };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return jwt.sign({ token_type: 'access', ...payload }, given);
}

function unsigned(token: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
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
    const userId = newId();
    const { token, expiresInSeconds } = await new AccessTokenService(jwt, config).issue(userId);
    expect(expiresInSeconds).toBe(1800);
    const claims = await strategy.verify(token);
    expect(claims).toMatchObject({ userId, tokenId: expect.any(String) });
    expect(Math.abs((claims?.expiresAtMs ?? 0) - Date.now() - 1_800_000)).toBeLessThan(5000);
  });

  it('gives every token an id of its own', async () => {
    const tokens = new AccessTokenService(jwt, config);
    const [one, other] = await Promise.all([tokens.issue(newId()), tokens.issue(newId())]);
    const ids = await Promise.all(
      [one, other].map(async ({ token }) => (await strategy.verify(token))?.tokenId),
    );
    expect(new Set(ids).size).toBe(2);
  });

  it('bears clocks that differ by up to five seconds', async () => {
    await expect(strategy.verify(sign({}, { expiresIn: -3 }))).resolves.toBeDefined();
    await expect(strategy.verify(sign({}, { expiresIn: -8 }))).resolves.toBeUndefined();
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
    ['text that is no token', () => 'not.a.token'],
    ['nothing', () => ''],
  ])('refuses %s', async (_name, token) => {
    await expect(strategy.verify(token())).resolves.toBeUndefined();
  });
});
