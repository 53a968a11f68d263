import { fromApiId } from '../../src/common/index';
import { type Account, startApp, type TestApp } from '../support/app';
import { eventually } from '../support/eventually';
import { isSignedWith, type Receiver, startReceiver } from '../integration/events/receiver';

interface WebhookBody {
  readonly id: string;
  readonly secret?: string;
  readonly userId: string;
  readonly url: string;
  readonly events: string[];
  readonly isActive: boolean;
}

interface DeliveryBody {
  readonly id: string;
  readonly status: string;
  readonly eventType: string;
}

const WEBHOOKS = '/api/v1/webhooks';

describe('webhooks over REST', () => {
  let app: TestApp;
  let ada: Account;
  let bob: Account;
  let receiver: Receiver;

  beforeAll(async () => {
    app = await startApp({ OUTBOUND_ALLOWED_HOSTS: '127.0.0.1' });
    receiver = await startReceiver();
  });

  afterAll(async () => {
    await app.close();
    await receiver.close();
  });

  beforeEach(async () => {
    [ada, bob] = [await app.register(), await app.register()];
    receiver.received.length = 0;
  });

  const as = (account: Account, body?: object): { credential: string; body?: object } => ({
    credential: account.accessToken,
    body,
  });

  async function create(account: Account, more: object = {}): Promise<WebhookBody> {
    const body = { url: receiver.url, events: ['*'], ...more };
    const answer = await app.call<WebhookBody>('POST', WEBHOOKS, as(account, body));
    expect(answer.status).toBe(201);
    return answer.body;
  }

  it('shows the secret once, and stores it sealed', async () => {
    const made = await create(ada, { description: 'to finance' });
    expect(made).toEqual({
      id: expect.stringMatching(/^whk_[0-9a-f]{32}$/),
      userId: ada.userId,
      url: receiver.url,
      events: ['*'],
      description: 'to finance',
      isActive: true,
      scope: 'own',
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
      secret: expect.stringMatching(/^whsec_[\w-]{43}$/),
    });
    const { secret, ...shown } = made;
    const one = await app.call('GET', `${WEBHOOKS}/${made.id}`, as(ada));
    const list = await app.call('GET', WEBHOOKS, as(ada));
    expect(one).toMatchObject({ status: 200, body: shown });
    expect(list.body).toEqual({ data: [shown], nextCursor: null });
    expect(one.text + list.text).not.toContain('whsec_');
    const rows = await app.database.query<{ secret: Buffer }[]>('select * from webhooks');
    const stored = rows.map((row) => JSON.stringify(row) + row.secret.toString('latin1')).join();
    expect(stored).not.toContain(secret);
    expect(stored).not.toContain(secret?.slice('whsec_'.length));
  });

  it('sends a test event, and its delivery tells', async () => {
    const made = await create(ada, { events: ['budget.*'] });
    const sent = await app.call<DeliveryBody>('POST', `${WEBHOOKS}/${made.id}/test`, as(ada));
    expect(sent).toMatchObject({ status: 202, body: { status: 'pending', eventType: 'webhook.test' } });
    const delivered = await eventually(async () => {
      const answer = await app.call<{ data: DeliveryBody[] }>(
        'GET',
        `${WEBHOOKS}/${made.id}/deliveries`,
        as(ada),
      );
      return answer.body.data.find(({ status }) => status === 'delivered');
    });
    expect(delivered).toMatchObject({ id: sent.body.id, attempts: 1, lastStatus: 200, nextAttemptAt: null });
    const [received] = receiver.received;
    expect(received?.event).toMatchObject({ type: 'webhook.test', resource: made.id });
    expect(received?.headers['x-lattice-delivery']).toBe(sent.body.id);
    expect(received && isSignedWith(String(made.secret), received)).toBe(true);
    const history = await app.call<{ data: { type: string }[] }>('GET', '/api/v1/events/me/history', as(ada));
    expect(history.body.data.map(({ type }) => type)).toEqual(['webhook.test']);

    await app.call('PATCH', `${WEBHOOKS}/${made.id}`, as(ada, { isActive: false }));
    const off = await app.call('POST', `${WEBHOOKS}/${made.id}/test`, as(ada));
    expect(off).toMatchObject({ status: 409, body: { error: { code: 'CONFLICT' } } });
  });

  it('changes what is named and leaves the rest; a new secret replaces the old one', async () => {
    const made = await create(ada, { description: 'old' });
    const path = `${WEBHOOKS}/${made.id}`;
    const changed = await app.call('PATCH', path, as(ada, { events: ['run.*', 'run.*'], description: null }));
    expect(changed).toMatchObject({
      status: 200,
      body: { events: ['run.*'], description: null, url: made.url, isActive: true },
    });
    const rotated = await app.call<WebhookBody>('POST', `${path}/rotate-secret`, as(ada));
    expect(rotated).toMatchObject({
      status: 200,
      body: { id: made.id, secret: expect.stringMatching(/^whsec_/) },
    });
    expect(rotated.body.secret).not.toBe(made.secret);
    await expect(app.call('DELETE', path, as(ada))).resolves.toMatchObject({ status: 204 });
    await expect(app.call('GET', path, as(ada))).resolves.toMatchObject({ status: 404 });
  });

  it('can be switched off although what it was set to is not allowed any more', async () => {
    const moved = await create(ada);
    const id = fromApiId('whk', moved.id);
    await app.database.query(
      `update webhooks set url = 'http://10.0.0.1/hook', scope = 'all' where id = $1`,
      [id],
    );
    const path = `${WEBHOOKS}/${moved.id}`;
    const off = await app.call('PATCH', path, as(ada, { isActive: false }));
    expect(off).toMatchObject({ status: 200, body: { isActive: false, url: 'http://10.0.0.1/hook' } });
    const again = await app.call('PATCH', path, as(ada, { url: 'http://10.0.0.1/hook' }));
    expect(again).toMatchObject({ status: 400, body: { error: { code: 'URL_NOT_ALLOWED' } } });
    const all = await app.call('PATCH', path, as(ada, { scope: 'all' }));
    expect(all).toMatchObject({ status: 403, body: { error: { param: 'scope' } } });
  });

  it('is one’s own: what is foreign is missing, administrators reach all', async () => {
    const made = await create(ada);
    const routes = [
      ['GET', '', undefined],
      ['PATCH', '', { isActive: false }],
      ['DELETE', '', undefined],
      ['POST', '/rotate-secret', undefined],
      ['POST', '/test', undefined],
      ['GET', '/deliveries', undefined],
    ] as const;
    for (const [method, path, body] of routes) {
      for (const id of [made.id, 'whk_0192f0c1a2b37c4d8e5f60718293a4b5', 'whk_1', ada.userId]) {
        const answer = await app.call(method, `${WEBHOOKS}/${id}${path}`, as(bob, body));
        const error = answer.body.error as Record<string, unknown>;
        expect([answer.status, error.code, error.message]).toEqual([
          404,
          'NOT_FOUND',
          'There is no such webhook.',
        ]);
      }
    }
    const others = await app.call('GET', WEBHOOKS, as(bob));
    expect(others.body).toEqual({ data: [], nextCursor: null });
    const all = await app.call<{ data: WebhookBody[] }>('GET', WEBHOOKS, as(app.admin));
    expect(all.body.data.map(({ id }) => id)).toContain(made.id);
    const one = await app.call('GET', `${WEBHOOKS}/${made.id}`, as(app.admin));
    expect(one).toMatchObject({ status: 200, body: { userId: ada.userId } });
  });

  it('pages newest first', async () => {
    const ids = [(await create(ada)).id, (await create(ada)).id, (await create(ada)).id];
    const first = await app.call<{ data: WebhookBody[]; nextCursor: string }>(
      'GET',
      `${WEBHOOKS}?limit=2`,
      as(ada),
    );
    const cursor = encodeURIComponent(first.body.nextCursor);
    const second = await app.call<{ data: WebhookBody[] }>(
      'GET',
      `${WEBHOOKS}?limit=2&cursor=${cursor}`,
      as(ada),
    );
    const found = [...first.body.data, ...second.body.data].map(({ id }) => id);
    expect(found).toEqual(ids.toReversed());
    const foreign = await app.call('GET', `${WEBHOOKS}?cursor=${cursor}`, as(bob));
    expect(foreign).toMatchObject({ status: 400, body: { error: { param: 'cursor' } } });
  });

  it.each([
    ['http://10.0.0.1/', 'URL_NOT_ALLOWED'],
    ['http://[::ffff:10.0.0.1]/', 'URL_NOT_ALLOWED'],
    ['http://localhost:1/', 'URL_NOT_ALLOWED'],
    ['https://user:secret@example.com/', 'URL_NOT_ALLOWED'],
    ['ftp://example.com/', 'URL_NOT_ALLOWED'],
    ['', 'VALIDATION_FAILED'],
    [null, 'VALIDATION_FAILED'],
  ])('refuses the URL %j, at creation and at a change', async (url, code) => {
    const made = await create(ada);
    const refused = { status: 400, body: { error: { code, param: 'url' } } };
    const creation = await app.call('POST', WEBHOOKS, as(ada, { url, events: ['*'] }));
    const change = await app.call('PATCH', `${WEBHOOKS}/${made.id}`, as(ada, { url }));
    expect(creation).toMatchObject(refused);
    expect(change).toMatchObject(refused);
    expect(creation.text).not.toContain('secret@');
  });

  it.each([
    [{ events: [] }, 'events'],
    [{ events: ['Budget'] }, 'events'],
    [{ events: ['*.threshold'] }, 'events'],
    [{ events: ['webhook.failed'] }, 'events'],
    [{ events: ['webhook.*'] }, 'events'],
    [{ events: 'budget.*' }, 'events'],
    [{ events: null }, 'events'],
    [{ isActive: 'yes' }, 'isActive'],
    [{ isActive: null }, 'isActive'],
    [{ scope: 'everything' }, 'scope'],
    [{ description: 'x'.repeat(201) }, 'description'],
    [{ userId: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5' }, 'userId'],
    [{ secret: 'whsec_mine' }, 'secret'],
  ])('refuses %j, naming the field', async (body, param) => {
    const made = await create(ada);
    const refused = { status: 400, body: { error: { param } } };
    const creation = await app.call('POST', WEBHOOKS, as(ada, { url: receiver.url, events: ['*'], ...body }));
    const change = await app.call('PATCH', `${WEBHOOKS}/${made.id}`, as(ada, body));
    expect(creation).toMatchObject(refused);
    expect(change).toMatchObject(refused);
  });

  it('gives the events of all to administrators only, and viewers write nothing', async () => {
    const body = { url: receiver.url, events: ['*'], scope: 'all' };
    const refused = await app.call('POST', WEBHOOKS, as(ada, body));
    expect(refused).toMatchObject({ status: 403, body: { error: { code: 'FORBIDDEN', param: 'scope' } } });
    const taken = await app.call<WebhookBody>('POST', WEBHOOKS, as(app.admin, body));
    expect(taken.status).toBe(201);
    await app.call('DELETE', `${WEBHOOKS}/${taken.body.id}`, as(app.admin));

    const own = await create(ada);
    await app.database.query(`update users set role = 'viewer' where email = $1`, [ada.email]);
    const statuses = [
      (await app.call('GET', `${WEBHOOKS}/${own.id}`, as(ada))).status,
      (await app.call('POST', WEBHOOKS, as(ada, { url: receiver.url, events: ['*'] }))).status,
      (await app.call('PATCH', `${WEBHOOKS}/${own.id}`, as(ada, { isActive: false }))).status,
      (await app.call('DELETE', `${WEBHOOKS}/${own.id}`, as(ada))).status,
    ];
    expect(statuses).toEqual([200, 403, 403, 403]);
  });

  it('records every change in the audit log, with no secret and no path of the URL', async () => {
    const made = await create(ada, { url: `${receiver.url}/a-secret-path?token=hidden` });
    const path = `${WEBHOOKS}/${made.id}`;
    await app.call('PATCH', path, as(ada, { isActive: false }));
    const rotated = await app.call<WebhookBody>('POST', `${path}/rotate-secret`, as(ada));
    await app.call('DELETE', path, as(ada));
    const entries = await app.database.query<{ action: string; before: unknown; after: unknown }[]>(
      'select action, before, after from audit_entries where resource_id = $1 order by id',
      [made.id],
    );
    expect(entries.map(({ action }) => action)).toEqual([
      'webhook.create',
      'webhook.update',
      'webhook.rotate_secret',
      'webhook.delete',
    ]);
    expect(entries[1]).toMatchObject({ before: { isActive: true }, after: { isActive: false } });
    const text = JSON.stringify(entries);
    for (const secret of [made.secret, rotated.body.secret, 'a-secret-path', 'hidden']) {
      expect(text).not.toContain(secret);
    }
  });

  it('bounds how many webhooks a user has', async () => {
    await app.database.query(
      `insert into webhooks (id, user_id, url, events, is_active, scope, secret)
       select gen_random_uuid(), u.id, 'https://example.com/', '{*}', false, 'own', ''
       from users u, generate_series(1, 50) where u.email = $1`,
      [ada.email],
    );
    const answer = await app.call('POST', WEBHOOKS, as(ada, { url: receiver.url, events: ['*'] }));
    expect(answer).toMatchObject({ status: 409, body: { error: { code: 'CONFLICT' } } });
  });
});
