import { type CanActivate, Controller, type ExecutionContext, Get, Patch, Post } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyRequest } from 'fastify';
import { Metered, Owned, Public } from '../../../src/auth/index';
import { RateLimitGuard } from '../../../src/budget/index';
import { LimitPresence } from '../../../src/budget/limit-presence';
import { ErrorFilter, NotFoundError, ServiceUnavailableError } from '../../../src/errors/index';
import { LedgerService, RequestLimitError } from '../../../src/ledger/index';
import { attachRequestState, OpenRequests } from '../../../src/observability/index';

@Controller()
class Doors {
  @Public() @Get('healthz') live(): string {
    return 'ok';
  }
  @Public() @Get('readyz') ready(): string {
    return 'ok';
  }
  @Public() @Get('metrics') metrics(): string {
    return 'ok';
  }
  @Public() @Post('api/v1/auth/refresh') refresh(): string {
    return 'ok';
  }
  @Public() @Post('api/v1/auth/login') login(): string {
    return 'ok';
  }
  @Metered() @Post('v1/chat') chat(): string {
    return 'ok';
  }
  @Owned() @Get('owned') owned(): string {
    return 'ok';
  }
  @Owned() @Get('missing') missing(): string {
    throw new NotFoundError('There is none');
  }
  @Owned() @Patch('api/v1/limits/:id') remedy(): string {
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

describe(RateLimitGuard.name, () => {
  const countRequest = jest.fn();
  const isAny = jest.fn();
  let app: NestFastifyApplication;

  beforeEach(async () => {
    isAny.mockReturnValue(true);
    countRequest.mockResolvedValue(OWN);
    const module = await Test.createTestingModule({
      imports: [EventEmitterModule.forRoot()],
      controllers: [Doors],
      providers: [
        { provide: APP_GUARD, useClass: Caller },
        { provide: APP_GUARD, useClass: RateLimitGuard },
        { provide: LedgerService, useValue: { countRequest } },
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

  const call = (method: 'GET' | 'POST' | 'PATCH', url: string, role?: string) =>
    app.inject({ method, url, headers: role ? { 'x-role': role } : {} });

  it('counts for user and key, and tells what is left', async () => {
    const answer = await call('GET', '/owned', 'operator');
    expect(countRequest.mock.calls).toEqual([[{ userId: 'u', keyId: 'k' }]]);
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
    ['GET', '/healthz'],
    ['GET', '/readyz'],
    ['GET', '/metrics'],
    ['POST', '/api/v1/auth/refresh'],
  ] as const)('does not count %s %s', async (method, url) => {
    expect((await call(method, url)).statusCode).toBeLessThan(300);
    expect(countRequest).not.toHaveBeenCalled();
  });

  it('leaves metered routes to the admission', async () => {
    await call('POST', '/v1/chat', 'operator');
    expect([countRequest.mock.calls, isAny.mock.calls]).toEqual([[], []]);
  });

  it('asks nobody where there is no limit at all', async () => {
    isAny.mockReturnValueOnce(false).mockResolvedValueOnce(false);
    await call('GET', '/owned', 'operator');
    await call('GET', '/owned', 'operator');
    expect(countRequest).not.toHaveBeenCalled();
  });

  it('counts public routes for the installation, and tells nothing of its limit', async () => {
    const answer = await call('POST', '/api/v1/auth/login');
    expect(countRequest.mock.calls).toEqual([[{}]]);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('ratelimit'))).toEqual([]);
  });

  it('keeps a flood without credentials from using up what all others need', async () => {
    for (let sent = 0; sent < 20; sent += 1) await call('POST', '/api/v1/auth/login');
    const refused = await call('POST', '/api/v1/auth/login');
    expect([refused.statusCode, refused.json().error]).toEqual([
      429,
      expect.objectContaining({
        code: 'RATE_LIMITED',
        details: expect.objectContaining({ scope: 'global' }),
      }),
    ]);
    expect(countRequest).toHaveBeenCalledTimes(20);
    expect((await call('GET', '/owned', 'operator')).statusCode).toBe(200);
  });

  it('lets administrators loosen a limit that keeps everybody out, and nobody else', async () => {
    countRequest.mockRejectedValue(new RequestLimitError('reached', { retryAfterMs: 1500 }));
    expect((await call('PATCH', '/api/v1/limits/lim_1', 'admin')).statusCode).toBe(200);
    expect((await call('PATCH', '/api/v1/limits/lim_1', 'operator')).statusCode).toBe(429);
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
