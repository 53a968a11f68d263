import { type CanActivate, Controller, type ExecutionContext, Get, Patch, Post, Req } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyRequest } from 'fastify';
import { Counted, Metered, Owned, Public } from '../../../src/auth/index';
import { RateLimitGuard } from '../../../src/budget/index';
import { LimitPresence } from '../../../src/budget/limit-presence';
import { ErrorFilter, NotFoundError, ServiceUnavailableError } from '../../../src/errors/index';
import { LedgerService, type RateLimitState, RequestLimitError } from '../../../src/ledger/index';
import { attachRequestState, OpenRequests } from '../../../src/observability/index';

@Controller()
class Doors {
  @Public() @Counted('never') @Get('health') live(): string {
    return 'ok';
  }
  @Public() @Counted('never') @Post('refresh') refresh(): string {
    return 'ok';
  }
  @Public() @Counted('by-address') @Post('login') login(): string {
    return 'ok';
  }
  @Public() @Post('register') register(): string {
    return 'ok';
  }
  @Metered() @Post('v1/chat') chat(@Req() { lattice }: FastifyRequest): string {
    return lattice.countReplay ? 'may be a replay' : 'ok';
  }
  /** Where the answer is only given again. */
  @Metered() @Post('v1/replay') async replay(@Req() { lattice }: FastifyRequest): Promise<string> {
    await lattice.countReplay?.();
    return 'ok';
  }
  @Owned() @Get('owned') owned(): string {
    return 'ok';
  }
  @Owned() @Get('missing') missing(): string {
    throw new NotFoundError('There is none');
  }
  @Owned() @Counted('unless-admin') @Patch('remedy') remedy(): string {
    return 'ok';
  }
}

/** In the place of AuthGuard: the header says who calls. */
class Caller implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const role = request.headers['x-role'] as 'admin' | 'operator' | undefined;
    if (role) request.lattice.principal = { userId: 'u', keyId: 'k', role };
    return true;
  }
}

const OWN = { limit: 60, remaining: 59, resetsAt: new Date(Date.now() + 30_000), windowSeconds: 60 } as const;

const GLOBAL: readonly RateLimitState[] = [
  { limit: 100, remaining: 99, resetsAt: new Date(Date.now() + 1_800_000), windowSeconds: 3600 },
];

describe(RateLimitGuard.name, () => {
  const countRequest = jest.fn();
  const countPublicRequest = jest.fn();
  const isAny = jest.fn();
  let app: NestFastifyApplication;

  beforeEach(async () => {
    isAny.mockReturnValue(true);
    countRequest.mockResolvedValue(OWN);
    countPublicRequest.mockResolvedValue(GLOBAL);
    const module = await Test.createTestingModule({
      imports: [EventEmitterModule.forRoot()],
      controllers: [Doors],
      providers: [
        { provide: APP_GUARD, useClass: Caller },
        { provide: APP_GUARD, useClass: RateLimitGuard },
        { provide: LedgerService, useValue: { countRequest, countPublicRequest } },
        { provide: LimitPresence, useValue: { isAny } },
        ErrorFilter,
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

  const call = (method: 'GET' | 'POST' | 'PATCH', url: string, role?: string, remoteAddress = '192.0.2.1') =>
    app.inject({ method, url, headers: role ? { 'x-role': role } : {}, remoteAddress });
  const repeat = () =>
    app.inject({
      method: 'POST',
      url: '/v1/replay',
      headers: { 'x-role': 'operator', 'idempotency-key': 'once' },
    });
  const statuses = async (count: number, url: string, from?: string): Promise<number[]> => {
    const answers = [];
    for (let sent = 0; sent < count; sent += 1) answers.push(await call('POST', url, undefined, from));
    return answers.map(({ statusCode }) => statusCode);
  };

  it('counts for user and key, and tells what is left', async () => {
    const answer = await call('GET', '/owned', 'operator');
    expect(countRequest.mock.calls).toEqual([[{ userId: 'u', keyId: 'k', role: 'operator' }]]);
    expect([answer.statusCode, answer.headers]).toEqual([
      200,
      expect.objectContaining({
        'ratelimit-limit': '60',
        'ratelimit-remaining': '59',
        'ratelimit-reset': expect.stringMatching(/^\d+$/),
        'ratelimit-policy': '60;w=60',
      }),
    ]);
  });

  it('tells it with failures too', async () => {
    const answer = await call('GET', '/missing', 'operator');
    expect([answer.statusCode, answer.headers['ratelimit-remaining']]).toEqual([404, '59']);
  });

  it('tells nothing where no request is limited', async () => {
    countRequest.mockResolvedValue(undefined);
    const answer = await call('GET', '/owned', 'operator');
    expect([answer.statusCode, answer.headers['ratelimit-limit']]).toEqual([200, undefined]);
  });

  it.each([
    ['GET', '/health'],
    ['POST', '/refresh'],
  ] as const)('does not count %s %s', async (method, url) => {
    expect((await call(method, url)).statusCode).toBeLessThan(300);
    expect([countRequest.mock.calls, countPublicRequest.mock.calls]).toEqual([[], []]);
  });

  it('leaves metered routes to the admission', async () => {
    expect((await call('POST', '/v1/chat', 'operator')).body).toBe('ok');
    expect([countRequest.mock.calls, isAny.mock.calls]).toEqual([[], []]);
  });

  it('counts a metered request whose answer is only given again', async () => {
    const answer = await repeat();
    expect([answer.statusCode, answer.headers['ratelimit-remaining']]).toEqual([201, '59']);
    expect(countRequest.mock.calls).toEqual([[{ userId: 'u', keyId: 'k', role: 'operator' }]]);
    countRequest.mockRejectedValue(new RequestLimitError('reached', { retryAfterMs: 1500 }));
    expect((await repeat()).statusCode).toBe(429);
    isAny.mockReturnValue(false);
    expect((await repeat()).statusCode).toBe(201);
    expect(countRequest).toHaveBeenCalledTimes(2);
  });

  it('asks nobody where there is no limit at all', async () => {
    isAny.mockReturnValueOnce(false).mockResolvedValueOnce(false);
    await call('GET', '/owned', 'operator');
    await call('GET', '/owned', 'operator');
    expect(countRequest).not.toHaveBeenCalled();
  });

  it('counts public routes for the installation, and tells nothing of its limit', async () => {
    const answer = await call('POST', '/register');
    expect([countPublicRequest.mock.calls.length, countRequest.mock.calls.length]).toEqual([1, 0]);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('ratelimit'))).toEqual([]);
  });

  it('keeps one address without a credential from using up what all others need', async () => {
    expect(await statuses(11, '/register')).toEqual([...Array<number>(10).fill(201), 429]);
    const refused = await call('POST', '/register');
    expect(refused.json().error).toMatchObject({ code: 'RATE_LIMITED', details: { scope: 'address' } });
    expect(await statuses(1, '/register', '192.0.2.2')).toEqual([201]);
    expect(countPublicRequest).toHaveBeenCalledTimes(11);
  });

  it('keeps a flood without credentials from using up what all others need', async () => {
    for (let sent = 0; sent < 20; sent += 1) {
      expect(await statuses(1, '/register', `192.0.2.${sent}`)).toEqual([201]);
    }
    const refused = await call('POST', '/register', undefined, '192.0.2.99');
    expect([refused.statusCode, refused.json().error]).toEqual([
      429,
      expect.objectContaining({
        code: 'RATE_LIMITED',
        details: expect.objectContaining({ scope: 'global' }),
      }),
    ]);
    expect(countPublicRequest).toHaveBeenCalledTimes(20);
    expect((await call('GET', '/owned', 'operator')).statusCode).toBe(200);
    expect(await statuses(1, '/login', '192.0.2.99')).toEqual([201]);
  });

  it('gives back what was not counted', async () => {
    countPublicRequest.mockResolvedValueOnce(GLOBAL);
    countPublicRequest.mockRejectedValue(new ServiceUnavailableError('away'));
    expect(await statuses(30, '/register')).toEqual([201, ...Array<number>(29).fill(503)]);
    countPublicRequest.mockResolvedValue(GLOBAL);
    expect(await statuses(1, '/register')).toEqual([201]);
  });

  it('counts logins for their address only, whatever limit of the installation is reached', async () => {
    countPublicRequest.mockRejectedValue(new RequestLimitError('reached', { retryAfterMs: 1500 }));
    // So many that a minute which ends meanwhile changes nothing.
    const flood = await statuses(130, '/login');
    expect(flood.slice(0, 60)).toEqual(Array<number>(60).fill(201));
    expect(flood).toContain(429);
    expect(await statuses(1, '/login', '192.0.2.2')).toEqual([201]);
    expect([countPublicRequest.mock.calls, countRequest.mock.calls]).toEqual([[], []]);
  });

  it('lets administrators loosen a limit that keeps everybody out, and nobody else', async () => {
    countRequest.mockRejectedValue(new RequestLimitError('reached', { retryAfterMs: 1500 }));
    expect((await call('PATCH', '/remedy', 'admin')).statusCode).toBe(200);
    expect((await call('PATCH', '/remedy', 'operator')).statusCode).toBe(429);
    expect((await call('GET', '/owned', 'admin')).statusCode).toBe(429);
  });

  it('passes on why a request is refused, with its headers', async () => {
    const headers = { 'ratelimit-remaining': '0' };
    countRequest.mockRejectedValue(new RequestLimitError('reached', { retryAfterMs: 1500, headers }));
    const answer = await call('GET', '/owned', 'operator');
    expect([answer.statusCode, answer.headers['retry-after'], answer.headers['ratelimit-remaining']]).toEqual(
      [429, '2', '0'],
    );
  });

  it('says 503 when the database is away', async () => {
    isAny.mockRejectedValue(new ServiceUnavailableError('away'));
    expect((await call('GET', '/owned', 'operator')).statusCode).toBe(503);
  });
});
