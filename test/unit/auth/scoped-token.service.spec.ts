import { JwtService } from '@nestjs/jwt';
import { ACCESS_TOKEN } from '../../../src/auth/credentials/access-token';
import { AccessTokenService } from '../../../src/auth/credentials/access-token.service';
import { JwtStrategy } from '../../../src/auth/credentials/jwt.strategy';
import { EVENT_TOKEN, ScopedTokenService } from '../../../src/auth/credentials/scoped-token.service';
import { newId, type RequestContext, toApiId } from '../../../src/common/index';
import { testConfig } from './support';

const config = testConfig();
const jwt = new JwtService({});
const tokens = new ScopedTokenService(jwt, config);
const RUN = toApiId('run', newId());

const SESSION = { tokenId: newId(), sessionId: newId() };

function contextOf(userId: string, origin: object = SESSION): RequestContext {
  return { principal: { userId, role: 'operator', ...origin } } as RequestContext;
}

/** A token like ours, but for what the test changes. */
function sign(payload: object = {}, options: object = {}): string {
  const { id, key } = config.keys.current(EVENT_TOKEN.keyPurpose);
  return jwt.sign(
    { token_type: 'event-stream', resource: RUN, sid: newId(), origin_jti: newId(), ...payload },
    {
      secret: key,
      keyid: id,
      algorithm: 'HS256',
      issuer: 'lattice',
      audience: 'lattice-events',
      subject: toApiId('usr', newId()),
      expiresIn: 60,
      ...options,
    },
  );
}

describe(ScopedTokenService.name, () => {
  it('gives a token that names the user, for one resource and 60 seconds', async () => {
    const userId = newId();
    const { token, expiresInSeconds } = await tokens.issue(contextOf(userId), RUN);
    expect(expiresInSeconds).toBe(60);
    const { iat = 0, exp = 0 } = jwt.decode<{ iat?: number; exp?: number }>(token);
    expect(exp - iat).toBe(60);
    await expect(tokens.verify(token, RUN)).resolves.toEqual({ userId, ...SESSION });
    await expect(tokens.verify(token, toApiId('run', newId()))).resolves.toBeUndefined();
    await expect(tokens.verify(token, '')).resolves.toBeUndefined();
  });

  it.each([{}, { keyGeneration: 'c0ffee' }])('remembers the key that asked for it, %j', async (more) => {
    const [userId, keyId] = [newId(), newId()];
    const { token } = await tokens.issue(contextOf(userId, { keyId, ...more }), RUN);
    await expect(tokens.verify(token, RUN)).resolves.toEqual({ userId, keyId, ...more });
  });

  it('accepts what the test signs, so that the refusals below are for their reason', async () => {
    await expect(tokens.verify(sign(), RUN)).resolves.toBeDefined();
  });

  it.each<[string, () => string]>([
    ['another token type', () => sign({ token_type: 'access' })],
    ['no token type', () => sign({ token_type: undefined })],
    ['no resource', () => sign({ resource: undefined })],
    ['no session it came from', () => sign({ sid: undefined })],
    ['no access token it came from', () => sign({ origin_jti: undefined })],
    ['another audience', () => sign({}, { audience: 'lattice-api' })],
    ['another issuer', () => sign({}, { issuer: 'someone-else' })],
    ['another HMAC algorithm', () => sign({}, { algorithm: 'HS512' })],
    [
      'a key of the access tokens',
      () => sign({}, { secret: config.keys.current(ACCESS_TOKEN.keyPurpose).key }),
    ],
    ['a key id that is not ours', () => sign({}, { keyid: '00000000' })],
    ['a subject that is no user', () => sign({}, { subject: RUN })],
    ['a token that has ended', () => sign({}, { expiresIn: -10 })],
    ['text that is no token', () => 'a.b.c'],
  ])('refuses %s', async (_name, token) => {
    await expect(tokens.verify(token(), RUN)).resolves.toBeUndefined();
  });

  it('is never taken for an access token, nor an access token for it', async () => {
    const { token } = await tokens.issue(contextOf(newId()), RUN);
    await expect(new JwtStrategy(config).verify(token)).resolves.toBeUndefined();
    const access = await new AccessTokenService(jwt, config).issue(newId(), newId());
    await expect(tokens.verify(access.token, RUN)).resolves.toBeUndefined();
  });

  it('still accepts what was signed before the secret was changed', async () => {
    const { token } = await tokens.issue(contextOf(newId()), RUN);
    const rotated = testConfig({
      LATTICE_SECRET_KEY: 'another-secret-for-tests-0123456789',
      LATTICE_PREVIOUS_SECRET_KEYS: 'a-secret-for-tests-only-0123456789',
    });
    await expect(new ScopedTokenService(jwt, rotated).verify(token, RUN)).resolves.toBeDefined();
  });
});
