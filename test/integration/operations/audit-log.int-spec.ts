import { newId, type RequestContext, toApiId } from '../../../src/common/index';
import { AuditSink } from '../../../src/errors/index';
import { startApp, type TestApp } from '../../support/app';
import { aContext } from '../../support/factories';

interface Entry {
  readonly id: string;
  readonly action: string;
  readonly actorId: string;
  readonly actorRole: string;
  readonly requestId: string;
  readonly resourceId: string | null;
  readonly before: unknown;
  readonly after: unknown;
}

describe('the audit log', () => {
  let app: TestApp;
  let sink: AuditSink;
  beforeAll(async () => {
    app = await startApp();
    sink = app.app.get(AuditSink);
  });
  afterAll(() => app.close());

  function context(): RequestContext {
    return aContext({ principal: { userId: newId(), role: 'admin', keyId: newId() } });
  }

  async function list(query: string): Promise<Entry[]> {
    return (await app.call<{ data: Entry[] }>('GET', `/api/v1/audit?${query}`)).body.data;
  }

  it('says who did what, before and after, in which request', async () => {
    const ctx = context();
    const entry = {
      action: 'thing.update',
      resourceId: 'bud_1',
      before: { limitUsd: '1' },
      after: { limitUsd: '2' },
    };
    await sink.record(ctx, entry);
    expect(await list(`requestId=${toApiId('req', ctx.requestId)}`)).toMatchObject([
      { ...entry, actorId: toApiId('usr', ctx.principal.userId), actorRole: 'admin' },
    ]);
  });

  it('is written with the act or not at all', async () => {
    const ctx = context();
    await expect(
      app.database.transaction(async (manager) => {
        await sink.record(ctx, { action: 'thing.create', resourceId: null }, manager);
        throw new Error('the act failed');
      }),
    ).rejects.toThrow('the act failed');
    expect(await list(`requestId=${toApiId('req', ctx.requestId)}`)).toEqual([]);
  });

  it('filters by actor, action, prefix, resource and time, and pages newest first', async () => {
    const ctx = context();
    for (const action of ['user.disable', 'user.delete', 'user_x.delete']) {
      await sink.record(ctx, { action, resourceId: 'usr_7' });
    }
    const actor = `actorId=${toApiId('usr', ctx.principal.userId)}`;
    expect((await list(actor)).map(({ action }) => action)).toEqual([
      'user_x.delete',
      'user.delete',
      'user.disable',
    ]);
    expect((await list(`${actor}&action=user.*`)).map(({ action }) => action)).toEqual([
      'user.delete',
      'user.disable',
    ]);
    expect(await list(`${actor}&action=user.delete&resourceId=usr_7`)).toHaveLength(1);
    expect(await list(`${actor}&to=2020-01-01T00:00:00Z`)).toEqual([]);
    expect(await list(`${actor}&from=2020-01-01&to=9999-12-31T23:59`)).toHaveLength(3);
    const first = await app.call<{ data: Entry[]; nextCursor: string }>(
      'GET',
      `/api/v1/audit?${actor}&limit=2`,
    );
    const rest = await list(`${actor}&limit=2&cursor=${first.body.nextCursor}`);
    expect([...first.body.data, ...rest].map(({ action }) => action)).toHaveLength(3);
  });

  it.each([
    ['UPDATE', `update audit_entries set action = 'x'`],
    ['DELETE', 'delete from audit_entries'],
    ['TRUNCATE', 'truncate audit_entries'],
  ])('refuses %s in PostgreSQL itself', async (_, sql) => {
    await expect(app.database.query(sql)).rejects.toThrow('append-only');
  });

  it('is for administrators', async () => {
    const other = await app.register();
    expect((await app.call('GET', '/api/v1/audit', { credential: other.accessToken })).status).toBe(403);
  });

  it.each([
    'actorId=usr_1',
    'action=;drop',
    'from=yesterday',
    'from=2026-W10',
    'from=2026-01',
    'from=-2026-01-01',
    'from=2026-01-01T10.5Z',
    'from=0001-01-01T00:00:00%2B01:00',
    'to=2026-123',
    'to=2026-01-01&to=2026-01-02',
    'resourceId=%00',
    'resourceId=a%00b',
    'cursor=abc',
    'limit=0',
  ])('refuses %s by name', async (query) => {
    const { status, body } = await app.call<{ error: { param: string } }>('GET', `/api/v1/audit?${query}`);
    expect([status, body.error.param]).toEqual([400, query.split('=')[0]]);
  });
});
