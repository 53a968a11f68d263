import { Controller, Get, Module, Req } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyRequest } from 'fastify';
import {
  ErrorBoundaryInterceptor,
  ErrorFilter,
  ErrorsModule,
  NotFoundError,
  ServiceUnavailableError,
} from '../../../src/errors/index';
import {
  Deadline,
  DeadlineInterceptor,
  Retryable,
  RetryInterceptor,
  RetryWith,
} from '../../../src/execution/index';
import { attachRequestState, OpenRequests } from '../../../src/observability/index';

class Flaky extends ServiceUnavailableError {
  override readonly failure = 'retry';
}

let calls = 0;
const policy = { maxTries: 3, baseDelayMs: 1, maxDelayMs: 5 };

@Controller()
class FiveLines {
  @Get('flaky') @Retryable(policy) flaky(): string {
    if (++calls < 3) throw new Flaky('again', { retryAfterMs: 1 });
    return 'ok';
  }
  @Get('broken') @Retryable(policy) broken(): string {
    calls += 1;
    throw new Flaky('always', { retryAfterMs: 1 });
  }
  @Get('final') @Retryable(policy) final(): string {
    calls += 1;
    throw new NotFoundError('gone');
  }
  @Get('once') once(): string {
    calls += 1;
    throw new Flaky('once', { retryAfterMs: 1 });
  }
  @Get('policy') @RetryWith(policy) policy(@Req() request: FastifyRequest): unknown {
    return request.lattice.retry;
  }
  @Get('slow') @Deadline(20) slow(@Req() request: FastifyRequest): Promise<never> {
    const { signal } = request.lattice.controller;
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  }
  @Get('bug') bug(): never {
    throw new TypeError('secret internals');
  }
}

abstract class Waits {
  @Get() wait(@Req() { lattice }: FastifyRequest): number {
    return Math.round(((lattice.deadlineAt ?? 0) - Date.now()) / 1000);
  }
}
@Controller('brief')
@Deadline(2000)
class Brief extends Waits {}
@Controller('long')
@Deadline(9000)
class Long extends Waits {}

@Module({
  imports: [ErrorsModule, EventEmitterModule.forRoot()],
  controllers: [FiveLines, Brief, Long],
  providers: [
    DeadlineInterceptor,
    RetryInterceptor,
    { provide: APP_FILTER, useExisting: ErrorFilter },
    { provide: APP_INTERCEPTOR, useExisting: ErrorBoundaryInterceptor },
    { provide: APP_INTERCEPTOR, useExisting: DeadlineInterceptor },
    { provide: APP_INTERCEPTOR, useExisting: RetryInterceptor },
  ],
})
class Application {}

describe('interceptors', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [Application] }).compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    attachRequestState(app.getHttpAdapter().getInstance(), new OpenRequests());
    await app.init();
  });

  afterAll(() => app.close());
  beforeEach(() => (calls = 0));

  const get = async (url: string) => {
    const { statusCode, body } = await app.inject({ method: 'GET', url });
    return { status: statusCode, body };
  };

  it.each([
    ['tries a retryable handler again until it succeeds', '/flaky', 200, 3],
    ['gives up after the policy’s tries', '/broken', 503, 3],
    ['does not repeat a final failure', '/final', 404, 1],
    ['does not repeat a handler that is not marked', '/once', 503, 1],
  ])('%s', async (_, url, status, tries) => {
    expect([(await get(url)).status, calls]).toEqual([status, tries]);
  });

  it('hands a metered route’s policy on', async () => {
    expect(JSON.parse((await get('/policy')).body)).toEqual(policy);
  });

  it('ends a request at its deadline', async () => {
    const { status, body } = await get('/slow');
    expect([status, body]).toEqual([504, expect.stringContaining('DEADLINE_EXCEEDED')]);
  });

  it('gives an inherited handler the deadline of its own class', async () => {
    expect([(await get('/brief')).body, (await get('/long')).body]).toEqual(['2', '9']);
  });

  it('shows nothing of a defect', async () => {
    const { status, body } = await get('/bug');
    expect([status, JSON.parse(body)]).toEqual([
      500,
      { error: expect.objectContaining({ code: 'INTERNAL' }) },
    ]);
    expect(body).not.toContain('secret internals');
  });
});
