import { Controller, type ExecutionContext, Get, Post } from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { JwtService } from '@nestjs/jwt';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { UsersRepository } from '../../../src/auth/accounts/users.repository';
import { TooManyAttemptsError } from '../../../src/auth/auth.errors';
import { AttemptLimiter } from '../../../src/auth/brute-force/attempt-limiter';
import { AccessTokenService } from '../../../src/auth/credentials/access-token.service';
import { JwtStrategy } from '../../../src/auth/credentials/jwt.strategy';
import { ScopedTokenService } from '../../../src/auth/credentials/scoped-token.service';
import { API_KEY_PREFIX, digestOf, newSecretToken } from '../../../src/auth/credentials/secret-token';
import { Authenticator } from '../../../src/auth/guard/authenticator.service';
import { Callers } from '../../../src/auth/guard/callers.service';
import { KeyActivity } from '../../../src/auth/keys/key-activity';
import { ApiKeysRepository } from '../../../src/auth/keys/api-keys.repository';
import {
  AcceptsEventToken,
  Admin,
  AuthGuard,
  Ctx,
  Metered,
  Owned,
  PrincipalCache,
  Public,
  Requires,
} from '../../../src/auth/index';
import { newId, toApiId, type Principal, type RequestContext, type Role } from '../../../src/common/index';
import { AppConfig } from '../../../src/config/index';
import { ErrorFilter } from '../../../src/errors/index';
import { attachRequestState, OpenRequests } from '../../../src/observability/index';
import { eventually } from '../../support/eventually';
import { testConfig } from './support';

@Controller()
class Doors {
  @Public() @Get('public') open(): string {
    return 'open';
  }
  @Get('unclassified') forgotten(): string {
    return 'forgotten';
  }
  @Owned() @Get('owned') owned(@Ctx() ctx: RequestContext): Principal {
    return ctx.principal;
  }
  @Owned() @Post('owned') change(): string {
    return 'changed';
  }
  @Metered() @Post('metered') metered(@Ctx() ctx: RequestContext): Principal {
    return ctx.principal;
  }
  @Admin() @Get('admin') admin(): string {
    return 'admin';
  }
  @Owned() @Get('api/v1/usage') usage(): string {
    return 'usage';
  }
  @Owned() @Post('api/v1/keys') makeKey(): string {
    return 'key';
  }
  @Owned() @AcceptsEventToken('resource') @Get('api/v1/events/:resource') events(
    @Ctx() ctx: RequestContext,
  ): Principal {
    return ctx.principal;
  }
  @Owned() @Requires('events:read') @Post('api/v1/events/:resource/token') eventToken(): string {
    return 'token';
  }
}

/** The same handler below another class: its classification is another one. */
@Public()
@Controller('sub')
class OpenedDoors extends Doors {}

const ELSEWHERE = [
  ['GET', '/owned'],
  ['POST', '/metered'],
  ['GET', '/admin'],
  ['GET', '/unclassified'],
  ['POST', '/api/v1/events/run_1/token'],
] as const;
const connectionLost = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

describe(AuthGuard.name, () => {
  const config = testConfig();
  const eventTokens = new ScopedTokenService(new JwtService({}), config);
  const keys = { findActive: jest.fn(), findActiveById: jest.fn(), touch: jest.fn() };
  const users = { findActive: jest.fn() };
  const touch = jest.fn();
  const attempts = { check: jest.fn(), isFull: jest.fn(), countFailure: jest.fn() };
  let app: NestFastifyApplication;

  beforeEach(async () => {
    const module = await Test.createTestingModule({
      imports: [EventEmitterModule.forRoot()],
      controllers: [Doors, OpenedDoors],
      providers: [
        { provide: APP_GUARD, useClass: AuthGuard },
        Authenticator,
        Callers,
        PrincipalCache,
        ErrorFilter,
        { provide: AppConfig, useValue: config },
        { provide: JwtStrategy, useValue: new JwtStrategy(config) },
        { provide: ScopedTokenService, useValue: eventTokens },
        { provide: AttemptLimiter, useValue: attempts },
        { provide: KeyActivity, useValue: { touch } },
        { provide: ApiKeysRepository, useValue: keys },
        { provide: UsersRepository, useValue: users },
      ],
    }).compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    attachRequestState(app.getHttpAdapter().getInstance(), new OpenRequests());
    app.useGlobalFilters(app.get(ErrorFilter));
    await app.init();
  });

  afterEach(async () => {
    await app.close();
    jest.resetAllMocks();
  });

  /** A key that the database knows, of a user with this role. */
  function knownKey(
    role: Role = 'operator',
    scopes?: readonly string[],
  ): { key: string; principal: Principal } {
    const key = newSecretToken(API_KEY_PREFIX);
    const principal = { userId: newId(), role, keyId: newId(), ...(scopes && { scopes }) };
    keys.findActive.mockImplementation((hash: string) =>
      Promise.resolve(hash === digestOf(key) ? { principal } : undefined),
    );
    return { key, principal };
  }

  async function call(method: 'GET' | 'POST', url: string, credential?: string): Promise<[number, unknown]> {
    const headers = credential === undefined ? {} : { authorization: `Bearer ${credential}` };
    const answer = await app.inject({ method, url, headers });
    const isJson = answer.headers['content-type']?.toString().includes('json') ?? false;
    return [answer.statusCode, isJson ? answer.json() : answer.body];
  }

  it('lets everybody through a public door', async () => {
    await expect(call('GET', '/public')).resolves.toEqual([200, 'open']);
    await expect(call('GET', '/public', 'nonsense')).resolves.toEqual([200, 'open']);
  });

  it.each(['/unclassified', '/owned', '/admin'])('closes %s by default', async (url) => {
    const answer = await app.inject({ method: 'GET', url });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(answer.json()).toMatchObject({ error: { code: 'UNAUTHENTICATED', type: 'authentication_error' } });
  });

  it('judges an inherited handler by the class it is called on', async () => {
    await expect(call('GET', '/sub/unclassified')).resolves.toEqual([200, 'forgotten']);
    await expect(call('GET', '/unclassified')).resolves.toMatchObject([401, {}]);
  });

  it('takes a key as bearer or as x-api-key', async () => {
    const { key, principal } = knownKey();
    await expect(call('GET', '/owned', key)).resolves.toEqual([200, principal]);
    for (const headers of [{ 'x-api-key': key }, { authorization: `bearer ${key}` }]) {
      const answer = await app.inject({ method: 'GET', url: '/owned', headers });
      expect(answer.json()).toEqual(principal);
    }
    expect(touch).toHaveBeenCalledWith(principal.keyId);
  });

  it('takes an access token of an active user, with the role of now', async () => {
    const userId = newId();
    const { token } = await new AccessTokenService(new JwtService({}), config).issue(userId, newId());
    users.findActive.mockResolvedValue({ id: userId, role: 'viewer' });
    await expect(call('GET', '/owned', token)).resolves.toEqual([
      200,
      { userId, role: 'viewer', tokenId: expect.any(String), sessionId: expect.any(String) },
    ]);
    users.findActive.mockResolvedValue(undefined);
    await expect(call('GET', '/owned', token)).resolves.toMatchObject([401, {}]);
  });

  it.each([
    ['an unknown key', { authorization: `Bearer ${newSecretToken(API_KEY_PREFIX)}` }],
    ['text of no known form', { authorization: 'Bearer llk_short' }],
    ['another scheme', { authorization: 'Basic YWRhOnNlY3JldA==' }],
    ['an endless credential', { authorization: `Bearer ${'x'.repeat(5000)}` }],
    ['a token as x-api-key', { 'x-api-key': 'eyJhbGciOiJIUzI1NiJ9.e30.sig' }],
  ])('refuses %s on every kind of route', async (_name, headers) => {
    keys.findActive.mockResolvedValue(undefined);
    for (const [method, url] of [
      ['GET', '/owned'],
      ['POST', '/metered'],
      ['GET', '/admin'],
    ] as const) {
      const answer = await app.inject({ method, url, headers });
      expect(answer.statusCode).toBe(401);
    }
  });

  it('asks the database for a key each time on an owned route, so that a revoked key is refused at once', async () => {
    const { key } = knownKey();
    await expect(call('GET', '/owned', key)).resolves.toMatchObject([200, {}]);
    keys.findActive.mockResolvedValue(undefined);
    await expect(call('GET', '/owned', key)).resolves.toMatchObject([401, {}]);
  });

  it('asks once for a key on metered routes', async () => {
    const { key, principal } = knownKey();
    for (let round = 0; round < 3; round += 1) {
      await expect(call('POST', '/metered', key)).resolves.toEqual([201, principal]);
    }
    expect(keys.findActive).toHaveBeenCalledTimes(1);
    app.get(PrincipalCache).evict({ keyId: principal.keyId ?? '' });
    keys.findActive.mockResolvedValue(undefined);
    await expect(call('POST', '/metered', key)).resolves.toMatchObject([401, {}]);
  });

  it.each<[Role, number[]]>([
    ['admin', [200, 201, 201, 200]],
    ['operator', [200, 201, 201, 403]],
    ['viewer', [200, 403, 403, 403]],
  ])('gives %s what the role may do', async (role, expected) => {
    const { key } = knownKey(role);
    const routes = [
      ['GET', '/owned'],
      ['POST', '/owned'],
      ['POST', '/metered'],
      ['GET', '/admin'],
    ] as const;
    const statuses: number[] = [];
    for (const [method, url] of routes) statuses.push((await call(method, url, key))[0]);
    expect(statuses).toEqual(expected);
  });

  it.each<[string[] | undefined, number[]]>([
    [undefined, [200, 201, 403, 201]],
    [['usage:read'], [200, 403, 403, 403]],
    [['*:read'], [200, 403, 403, 201]],
    [
      ['inference', 'usage:*'],
      [200, 201, 403, 403],
    ],
    [['keys:write'], [403, 403, 201, 403]],
  ])('gives a key with the scopes %j what they name', async (scopes, expected) => {
    const { key } = knownKey('operator', scopes);
    const routes = [
      ['GET', '/api/v1/usage'],
      ['POST', '/metered'],
      ['POST', '/api/v1/keys'],
      ['POST', '/api/v1/events/run_1/token'],
    ] as const;
    const statuses: number[] = [];
    for (const [method, url] of routes) statuses.push((await call(method, url, key))[0]);
    expect(statuses).toEqual(expected);
  });

  it('names the permission that the key, or the role, lacks', async () => {
    const { key } = knownKey('operator', ['usage:read']);
    await expect(call('POST', '/metered', key)).resolves.toMatchObject([
      403,
      { error: { code: 'KEY_SCOPE_MISSING', details: { permission: 'inference' } } },
    ]);
    const viewer = knownKey('viewer', ['keys:write']);
    await expect(call('POST', '/api/v1/keys', viewer.key)).resolves.toMatchObject([
      403,
      { error: { code: 'FORBIDDEN', details: { permission: 'keys:write' } } },
    ]);
  });

  it('gives a key no more than the role of its owner', async () => {
    const { key } = knownKey('operator', ['admin:read', '*:read']);
    await expect(call('GET', '/admin', key)).resolves.toMatchObject([403, { error: { code: 'FORBIDDEN' } }]);
  });

  it('stays synchronous on metered routes for a cached principal', async () => {
    const { key } = knownKey('operator', ['inference']);
    await call('POST', '/metered', key);
    const ip = jest.fn(() => '192.0.2.1');
    const request = Object.defineProperty({ headers: { 'x-api-key': key }, lattice: {} }, 'ip', { get: ip });
    const context = {
      getType: () => 'http',
      getHandler: () => Reflect.get(Doors.prototype, 'metered') as unknown,
      getClass: () => Doors,
      switchToHttp: () => ({ getRequest: () => request }),
    } as unknown as ExecutionContext;
    const guard = new AuthGuard(new Reflector(), app.get(Authenticator), app.get(Callers));
    expect(guard.canActivate(context)).toBe(true);
    expect(ip).not.toHaveBeenCalled();
  });

  describe('credentials in a URL', () => {
    const resource = toApiId('run', newId());
    const url = `/api/v1/events/${resource}`;
    const userId = newId();
    const session = { tokenId: newId(), sessionId: newId() };
    const asUser = { principal: { userId, role: 'operator', ...session } } as RequestContext;

    beforeEach(() => users.findActive.mockResolvedValue({ id: userId, role: 'operator' }));

    it('takes an event token for exactly its resource, with the role of now', async () => {
      const { token } = await eventTokens.issue(asUser, resource);
      for (const role of ['operator', 'viewer']) {
        users.findActive.mockResolvedValue({ id: userId, role });
        await expect(call('GET', `${url}?token=${token}`)).resolves.toEqual([
          200,
          { userId, role, ...session },
        ]);
      }
      expect(users.findActive).toHaveBeenCalledWith(userId, session);
      const other = await call('GET', `/api/v1/events/${toApiId('run', newId())}?token=${token}`);
      expect(other[0]).toBe(401);
      users.findActive.mockResolvedValue(undefined);
      await expect(call('GET', `${url}?token=${token}`)).resolves.toMatchObject([401, {}]);
    });

    it('lets a key’s event token do what the key may do now, and nothing after the key', async () => {
      const { principal } = knownKey('operator', ['events:read']);
      const { token } = await eventTokens.issue({ principal } as RequestContext, resource);
      keys.findActiveById.mockResolvedValue({ principal });
      await expect(call('GET', `${url}?token=${token}`)).resolves.toEqual([200, principal]);
      expect(keys.findActiveById).toHaveBeenCalledWith(principal.keyId, principal.keyGeneration);
      keys.findActiveById.mockResolvedValue({ principal: { ...principal, scopes: ['inference'] } });
      await expect(call('GET', `${url}?token=${token}`)).resolves.toMatchObject([403, {}]);
      keys.findActiveById.mockResolvedValue({ principal: { ...principal, userId: newId() } });
      await expect(call('GET', `${url}?token=${token}`)).resolves.toMatchObject([401, {}]);
      keys.findActiveById.mockResolvedValue(undefined);
      await expect(call('GET', `${url}?token=${token}`)).resolves.toMatchObject([401, {}]);
    });

    it('takes it nowhere else, neither in a URL nor in a header', async () => {
      const { token } = await eventTokens.issue(asUser, resource);
      for (const [method, elsewhere] of ELSEWHERE) {
        expect((await call(method, `${elsewhere}?token=${token}`))[0]).toBe(401);
        expect((await call(method, elsewhere, token))[0]).toBe(401);
      }
      expect((await call('GET', url, token))[0]).toBe(401);
    });

    it('never takes an access token or an API key', async () => {
      const access = await new AccessTokenService(new JwtService({}), config).issue(userId, newId());
      const { key } = knownKey();
      for (const credential of [access.token, key]) {
        for (const [method, path] of [...ELSEWHERE, ['GET', url] as const]) {
          for (const name of ['token', 'access_token', 'api_key', 'key', 'authorization', 'x-api-key']) {
            expect((await call(method, `${path}?${name}=${credential}`))[0]).toBe(401);
          }
        }
      }
    });

    it('prefers the header, and is not opened by a token beside a bad one', async () => {
      const { token } = await eventTokens.issue(asUser, resource);
      const { key, principal } = knownKey();
      await expect(call('GET', `${url}?token=${token}`, key)).resolves.toEqual([200, principal]);
      await expect(call('GET', `${url}?token=${token}`, 'nonsense')).resolves.toMatchObject([401, {}]);
    });

    it.each([`?token=${'x'.repeat(5000)}`, '?token=a&token=b', '?token=', '?token[a]=b'])(
      'refuses %.20s',
      async (query) => {
        await expect(call('GET', `${url}${query}`)).resolves.toMatchObject([401, {}]);
      },
    );

    it('is 503 while the database is away', async () => {
      const { token } = await eventTokens.issue(asUser, resource);
      users.findActive.mockRejectedValue(connectionLost);
      await expect(call('GET', `${url}?token=${token}`)).resolves.toMatchObject([503, {}]);
    });
  });

  it('holds nobody up for an access token that is none, or none any more', async () => {
    await call('GET', '/owned', 'eyJhbGciOiJIUzI1NiJ9.e30.x');
    expect(attempts.check).not.toHaveBeenCalled();
    expect(attempts.countFailure).not.toHaveBeenCalled();
  });

  it('holds up an address with too many unknown keys, but no valid key from there', async () => {
    const { key } = knownKey();
    await call('GET', '/owned', newSecretToken(API_KEY_PREFIX));
    expect(attempts.countFailure.mock.calls).toEqual([['127.0.0.1']]);
    attempts.isFull.mockReturnValue(true);
    attempts.check.mockImplementation(() => {
      throw new TooManyAttemptsError(new Date(Date.now() + 60_000));
    });
    for (const [method, url] of [
      ['GET', '/owned'],
      ['POST', '/metered'],
    ] as const) {
      const answer = await app.inject({ method, url, headers: { authorization: 'Bearer llk_guess' } });
      expect(answer.statusCode).toBe(429);
      expect(answer.headers['retry-after']).toBe('60');
      expect((await call(method, url, key))[0]).toBeLessThan(300);
    }
    expect(attempts.countFailure).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['GET', '/owned'],
    ['POST', '/metered'],
  ] as const)('looks up two keys at a time from such addresses on %s %s', async (method, url) => {
    attempts.isFull.mockReturnValue(true);
    let answer: (found: undefined) => void = () => undefined;
    const answered = new Promise<undefined>((resolve) => (answer = resolve));
    keys.findActive.mockReturnValue(answered);
    const slow = [0, 1].map(() => call(method, url, newSecretToken(API_KEY_PREFIX)));
    await eventually(() => Promise.resolve(keys.findActive.mock.calls.length === 2 || undefined));
    for (let guess = 0; guess < 300; guess += 1) {
      const headers = { 'x-api-key': newSecretToken(API_KEY_PREFIX) };
      const refused = await app.inject({ method, url, headers });
      expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1']);
    }
    expect(keys.findActive).toHaveBeenCalledTimes(2);
    answer(undefined);
    expect((await Promise.all(slow)).map(([status]) => status)).toEqual([401, 401]);
    const { key, principal } = knownKey();
    await expect(call(method, url, key)).resolves.toMatchObject([expect.any(Number), principal]);
  });

  it('lets a cached key from such an address past the gate, on every route', async () => {
    const { key, principal } = knownKey();
    await call('POST', '/metered', key);
    attempts.isFull.mockReturnValue(true);
    let answer: (found: undefined) => void = () => undefined;
    const answered = new Promise<undefined>((resolve) => (answer = resolve));
    keys.findActive.mockImplementation((hash: string) =>
      hash === digestOf(key) ? Promise.resolve({ principal }) : answered,
    );
    const slow = [0, 1].map(() => call('GET', '/owned', newSecretToken(API_KEY_PREFIX)));
    await eventually(() => Promise.resolve(keys.findActive.mock.calls.length === 3 || undefined));
    await expect(call('POST', '/metered', key)).resolves.toEqual([201, principal]);
    await expect(call('GET', '/owned', key)).resolves.toEqual([200, principal]);
    answer(undefined);
    await Promise.all(slow);
  });

  it.each([
    ['GET', '/owned'],
    ['POST', '/metered'],
  ] as const)('answers %s %s with 503 while the database is away, and recovers', async (method, url) => {
    const { key, principal } = knownKey();
    keys.findActive.mockRejectedValueOnce(connectionLost);
    const answer = await app.inject({ method, url, headers: { 'x-api-key': key } });
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.body).not.toContain('ECONNREFUSED');
    await expect(call(method, url, key)).resolves.toMatchObject([expect.any(Number), principal]);
  });

  it('answers 503, not 401, for a good token while the database is away', async () => {
    const { token } = await new AccessTokenService(new JwtService({}), config).issue(newId(), newId());
    users.findActive.mockRejectedValue(connectionLost);
    await expect(call('POST', '/metered', token)).resolves.toMatchObject([503, {}]);
  });
});
