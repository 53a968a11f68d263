import { setTimeout as delay } from 'node:timers/promises';
import { Controller, Get, Post, Res } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyReply } from 'fastify';
import { AppConfig, loadConfig } from '../../../src/config/index';
import {
  ErrorBoundaryInterceptor,
  ErrorFilter,
  ErrorsModule,
  ServiceUnavailableError,
  ValidationError,
} from '../../../src/errors/index';
import { Claims, type Turn } from '../../../src/idempotency/claims.service';
import { IdempotencyInterceptor, IdempotencyOptions } from '../../../src/idempotency/index';
import { RunningClaims } from '../../../src/idempotency/running-claims.service';
import type { StoredAnswer } from '../../../src/idempotency/stored-answer';
import { attachRequestState, OpenRequests } from '../../../src/observability/index';
import { eventually } from '../../support/eventually';

let calls = 0;
let sent = 0;

@Controller('v1')
class FiveLines {
  @Post('value') value(): object {
    calls += 1;
    return { calls };
  }
  @Get('value') read(): object {
    return this.value();
  }
  @Post('own') own(@Res() reply: FastifyReply): void {
    void reply.status(202).header('x-lattice-model', 'm').send('text');
  }
  @Post('raw') raw(@Res() reply: FastifyReply): void {
    reply.hijack();
    reply.raw.writeHead(200).end('unseen');
  }
  @Post('streamed') streamed(@Res() reply: FastifyReply): void {
    const { recorder } = reply.request.lattice;
    reply.hijack();
    recorder?.begin(200, { 'content-type': 'text/event-stream' });
    reply.raw.writeHead(200).write('data: 1');
    recorder?.write('data: 1');
    setImmediate(() => void recorder?.end().then(() => reply.raw.end()));
  }
  @Post('empty') empty(): void {}
  @Post('refused') refused(): void {
    throw new ValidationError('no', { param: 'x' });
  }
  @Post('failed') failed(): void {
    throw new ServiceUnavailableError('away');
  }
}

describe(IdempotencyInterceptor.name, () => {
  let app: NestFastifyApplication;
  let turn: Turn | undefined;
  let open: OpenRequests;
  const take = jest.fn();
  const end = jest.fn();

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [EventEmitterModule.forRoot(), ErrorsModule],
      controllers: [FiveLines],
      providers: [
        OpenRequests,
        IdempotencyOptions,
        { provide: AppConfig, useValue: loadConfig({ LATTICE_SECRET_KEY: 'x'.repeat(32) }) },
        { provide: Claims, useValue: { take } },
        { provide: RunningClaims, useValue: { end } },
        IdempotencyInterceptor,
        { provide: APP_FILTER, useExisting: ErrorFilter },
        { provide: APP_INTERCEPTOR, useExisting: ErrorBoundaryInterceptor },
        { provide: APP_INTERCEPTOR, useExisting: IdempotencyInterceptor },
      ],
    }).compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    app.useLogger(false);
    open = app.get(OpenRequests);
    attachRequestState(app.getHttpAdapter().getInstance(), open);
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('onRequest', (request, _reply, done) => {
        request.lattice.principal = { userId: 'u', role: 'operator' };
        done();
      })
      .addHook('onSend', (_request, _reply, _payload, done) => {
        sent += 1;
        done();
      });
    await app.init();
  });

  afterAll(() => app.close());

  beforeEach(() => {
    calls = 0;
    sent = 0;
    turn = undefined;
    take.mockReset().mockImplementation(async (request) => turn ?? { claim: { id: '1', request } });
    end.mockReset().mockImplementation(() => delay(20));
  });

  const post = (path: string, headers: Record<string, string> = { 'idempotency-key': 'k' }) =>
    app.inject({ method: 'POST', url: `/v1/${path}`, headers });
  const kept = () => end.mock.calls.map(([, answer]) => answer as StoredAnswer | undefined);

  it('lets a request without a key pass, and every other method', async () => {
    await post('value', {});
    await app.inject({ method: 'GET', url: '/v1/value', headers: { 'idempotency-key': 'k' } });
    expect([calls, take.mock.calls, end.mock.calls]).toEqual([2, [], []]);
  });

  it.each<[string, number, string]>([
    ['value', 201, '{"calls":1}'],
    ['own', 202, 'text'],
    ['empty', 201, ''],
    ['streamed', 200, 'data: 1'],
  ])('keeps what "%s" answers, as it is sent, and sends it once', async (path, status, body) => {
    const answer = await post(path);
    expect(sent).toBe(path === 'streamed' ? 0 : 1);
    expect([answer.statusCode, answer.payload]).toEqual([status, body]);
    expect(kept()).toEqual([expect.objectContaining({ status, body: Buffer.from(body) })]);
    await eventually(async () => (open.count === 0 ? true : undefined));
  });

  it('keeps a refusal that the request causes, and frees the key after a failure', async () => {
    const refused = await post('refused');
    await post('failed');
    expect(kept()).toEqual([
      expect.objectContaining({ status: 400, body: Buffer.from(refused.payload) }),
      undefined,
    ]);
    await eventually(async () => (open.count === 0 ? true : undefined));
  });

  it('frees the key when an answer went out that nobody reported', async () => {
    expect((await post('raw')).payload).toBe('unseen');
    expect(kept()).toEqual([undefined]);
    await eventually(async () => (open.count === 0 ? true : undefined));
  });

  it('gives the stored answer with its status instead of calling the handler', async () => {
    const headers = { 'content-type': 'application/json', 'x-lattice-model': 'm' };
    turn = { answer: { status: 202, headers, body: Buffer.from('{"stored":true}') } };
    const answer = await post('value');
    expect([calls, answer.statusCode, answer.payload]).toEqual([0, 202, '{"stored":true}']);
    expect(answer.headers).toMatchObject({ 'x-lattice-model': 'm', 'x-lattice-idempotent-replay': 'true' });
    expect(end).not.toHaveBeenCalled();
  });

  it('answers with the failure of the claim', async () => {
    take.mockRejectedValue(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }));
    expect((await post('value')).statusCode).toBe(503);
    expect([calls, open.count]).toEqual([0, 0]);
  });
});
