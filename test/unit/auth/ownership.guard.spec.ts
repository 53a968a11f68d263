import { Controller, Get } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { Owned, OwnedBy, type OwnedResource, OwnershipGuard } from '../../../src/auth/index';
import { newId, type Principal, toApiId } from '../../../src/common/index';
import { ErrorFilter } from '../../../src/errors/index';
import { RequestState } from '../../../src/observability/index';

const THING: OwnedResource = { prefix: 'prj', name: 'thing', table: 'things', ownerColumn: 'owner' };

@Controller()
class Things {
  @OwnedBy(THING) @Get('things/:id') one(): string {
    return 'yours';
  }
  @OwnedBy({ ...THING, ownerColumn: undefined, idColumn: 'no' }, 'thing') @Get('in/:thing') inside(): string {
    return 'inside';
  }
  @Owned() @Get('all') all(): string {
    return 'all';
  }
}

describe(OwnershipGuard.name, () => {
  const query = jest.fn();
  const id = newId();
  let principal: Principal;
  let app: NestFastifyApplication;

  beforeEach(async () => {
    principal = { userId: newId(), role: 'operator' };
    const module = await Test.createTestingModule({
      imports: [EventEmitterModule.forRoot()],
      controllers: [Things],
      providers: [
        { provide: APP_GUARD, useClass: OwnershipGuard },
        { provide: DataSource, useValue: { query } },
        ErrorFilter,
      ],
    }).compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    app.useGlobalFilters(app.get(ErrorFilter));
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('onRequest', (request, _reply, done) => {
        request.lattice = new RequestState();
        request.lattice.principal = principal;
        done();
      });
    await app.init();
  });

  afterEach(async () => {
    await app.close();
    jest.resetAllMocks();
  });

  it('asks once whether the thing is the caller’s', async () => {
    query.mockResolvedValue([{}]);
    const answer = await app.inject(`/things/${toApiId('prj', id)}`);
    expect(answer.body).toBe('yours');
    expect(query.mock.calls).toEqual([
      ['select 1 from things where id = $1 and ($2 or owner = $3)', [id, false, principal.userId]],
    ]);
  });

  it('lets administrators at everything there is', async () => {
    query.mockResolvedValue([{}]);
    principal = { ...principal, role: 'admin' };
    await app.inject(`/in/${toApiId('prj', id)}`);
    expect(query.mock.calls).toEqual([
      ['select 1 from things where no = $1 and ($2 or user_id = $3)', [id, true, principal.userId]],
    ]);
  });

  it('answers foreign, missing and malformed ids alike, and asks nothing for malformed ones', async () => {
    query.mockResolvedValue([]);
    const bodies: unknown[] = [];
    for (const asked of [toApiId('prj', id), toApiId('usr', id), id, 'prj_1', "prj_'--", '%00']) {
      const answer = await app.inject(`/things/${asked}`);
      expect(answer.statusCode).toBe(404);
      const { error } = answer.json<{ error: Record<string, unknown> }>();
      bodies.push({ ...error, requestId: undefined });
    }
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(bodies[0]).toMatchObject({ code: 'NOT_FOUND', message: 'There is no such thing.', param: 'id' });
    expect(query).toHaveBeenCalledTimes(1);
  });

  it('names the parameter that the route reads', async () => {
    const answer = await app.inject('/in/nothing');
    expect(answer.json()).toMatchObject({ error: { param: 'thing' } });
  });

  it('is 503 while the database is away', async () => {
    query.mockRejectedValue(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    const answer = await app.inject(`/things/${toApiId('prj', id)}`);
    expect(answer.statusCode).toBe(503);
    expect(answer.body).not.toContain('ECONNREFUSED');
  });

  it('asks nothing on routes that are about no one thing', async () => {
    const answer = await app.inject('/all');
    expect(answer.body).toBe('all');
    expect(query).not.toHaveBeenCalled();
  });
});
