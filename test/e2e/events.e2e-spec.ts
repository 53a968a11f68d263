import { shutDown } from '../../src/app';
import { fromApiId } from '../../src/common/index';
import { EventStreams } from '../../src/events/event-streams.service';
import { type NewEvent, Outbox } from '../../src/events/index';
import { type Account, startApp, type TestApp } from '../support/app';
import { connectEvents, type EventConnection } from '../support/event-source';
import { eventually } from '../support/eventually';

describe('event streams', () => {
  let app: TestApp;
  let ada: Account;
  let bob: Account;
  const connections: EventConnection[] = [];

  beforeAll(async () => {
    app = await startApp();
  });

  afterAll(() => app.close());

  beforeEach(async () => {
    [ada, bob] = [await app.register(), await app.register()];
  });

  afterEach(() => {
    for (const connection of connections.splice(0)) connection.close();
  });

  async function follow(
    resource: string,
    account?: Account,
    headers: Record<string, string> = {},
  ): Promise<EventConnection> {
    const credential: Record<string, string> = account
      ? { authorization: `Bearer ${account.accessToken}` }
      : {};
    const connection = await connectEvents(`${app.url}/api/v1/events/${resource}`, {
      ...credential,
      ...headers,
    });
    connections.push(connection);
    return connection;
  }

  function happen(owner: Account | null, ...numbers: number[]): Promise<void> {
    const ownerId = owner && (fromApiId('usr', owner.userId) ?? null);
    const resource = owner?.keyId ?? 'system';
    const events = numbers.map((number): NewEvent => {
      return { type: 'test.happened', resource, ownerId, data: { number } };
    });
    return app.app.get(Outbox).append(events, app.database);
  }

  const numbersOf = ({ events }: EventConnection): unknown[] =>
    events.map(({ data }) => (data.data as { number: unknown }).number);

  /** Waits until the client has the number, and gives all numbers it has. */
  const until = (connection: EventConnection, number: number): Promise<unknown[]> =>
    eventually(async () => {
      const numbers = numbersOf(connection);
      return numbers.includes(number) ? numbers : undefined;
    });

  it('sends what happens to the caller as it happens, and nothing of others', async () => {
    const stream = await follow('me', ada);
    expect(stream).toMatchObject({ status: 200 });
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(stream.headers.get('cache-control')).toBe('no-store, no-transform');
    expect(stream.headers.get('x-lattice-request-id')).toMatch(/^req_/);
    await happen(ada, 1);
    await happen(bob, 2);
    await happen(null, 3);
    await happen(ada, 4);
    await expect(until(stream, 4)).resolves.toEqual([1, 4]);
    expect(stream.events[0]?.data).toEqual({
      id: expect.stringMatching(/^evt_[0-9a-f]{32}$/),
      type: 'test.happened',
      resource: ada.keyId,
      at: expect.stringMatching(/Z$/),
      data: { number: 1 },
    });
  });

  it('goes on exactly where the client stopped, also before the first event', async () => {
    const first = await follow('me', ada);
    await eventually(async () => first.lastEventId);
    first.close();
    await happen(ada, 1, 2, 3);
    const second = await follow('me', ada, { 'last-event-id': String(first.lastEventId) });
    await expect(until(second, 3)).resolves.toEqual([1, 2, 3]);
    second.close();
    await happen(ada, 4, 5);
    const third = await follow(`me?after=0`, ada, { 'last-event-id': String(second.events[1]?.id) });
    await expect(until(third, 5)).resolves.toEqual([3, 4, 5]);
    await happen(ada, 6);
    await expect(until(third, 6)).resolves.toEqual([3, 4, 5, 6]);
    const fourth = await follow(`me?after=${third.lastEventId}`, ada);
    await happen(ada, 7);
    await expect(until(fourth, 7)).resolves.toEqual([7]);
  });

  it('loses and repeats nothing across many breaks under load', async () => {
    const total = 300;
    const writing = (async () => {
      for (let number = 0; number < total; number += 5) {
        await happen(ada, ...Array.from({ length: 5 }, (_, index) => number + index));
      }
    })();
    const seen: unknown[] = [];
    let after = '0';
    while (!seen.includes(total - 1)) {
      const stream = await follow(`me?after=${after}`, ada);
      await eventually(async () => stream.events[0]);
      stream.close();
      seen.push(...numbersOf(stream));
      after = String(stream.lastEventId);
    }
    await writing;
    expect(seen).toEqual(Array.from({ length: total }, (_, number) => number));
  });

  it('catches up by pages and goes over to what happens now', async () => {
    await happen(ada, ...Array.from({ length: 450 }, (_, number) => number));
    const stream = await follow('me?after=0', ada);
    await happen(ada, 450);
    await expect(until(stream, 450)).resolves.toEqual(Array.from({ length: 451 }, (_, number) => number));
  });

  it('starts now with a position that does not exist yet', async () => {
    const stream = await follow('me?after=999999999999', ada);
    await happen(ada, 1);
    await expect(until(stream, 1)).resolves.toEqual([1]);
  });

  it.each(['-1', '1.5', 'evt_1', '0x10', '99999999999999999999'])(
    'refuses the position %j',
    async (after) => {
      const query = await follow(`me?after=${encodeURIComponent(after)}`, ada);
      const header = await follow('me', ada, { 'last-event-id': after });
      expect(query).toMatchObject({ status: 400, body: { error: { param: 'after' } } });
      expect(header).toMatchObject({ status: 400, body: { error: { param: 'Last-Event-ID' } } });
    },
  );

  it('answers 404 for what is foreign, missing or no resource, alike, and opens all to administrators', async () => {
    const foreign = [
      bob.userId,
      bob.keyId,
      'global',
      'usr_0192f0c1a2b37c4d8e5f60718293a4b5',
      'nonsense',
      'whk_1',
    ];
    const answers = [];
    for (const resource of foreign) {
      answers.push(await follow(resource, ada));
      const options = { credential: ada.accessToken };
      answers.push(await app.call('GET', `/api/v1/events/${resource}/history`, options));
      answers.push(await app.call('POST', `/api/v1/events/${resource}/token`, options));
    }
    for (const { status, body } of answers) {
      const error = body.error as Record<string, unknown>;
      expect({ status, ...error, requestId: '' }).toEqual({
        status: 404,
        code: 'NOT_FOUND',
        type: 'not_found_error',
        message: 'There is no such stream of events.',
        param: 'resource',
        requestId: '',
      });
    }
    for (const resource of [ada.userId, ada.keyId])
      await expect(follow(resource, ada)).resolves.toMatchObject({ status: 200 });
    for (const resource of [ada.userId, ada.keyId, 'global', 'me']) {
      await expect(follow(resource, app.admin)).resolves.toMatchObject({ status: 200 });
    }
  });

  it('shows an owner nothing that is meant for administrators, and administrators everything', async () => {
    const [own, global] = [await follow(ada.keyId, ada), await follow('global', app.admin)];
    const secret: NewEvent = {
      type: 'test.happened',
      resource: ada.keyId,
      ownerId: null,
      data: { number: 1 },
    };
    await app.app.get(Outbox).append([secret], app.database);
    await happen(ada, 2);
    await expect(until(own, 2)).resolves.toEqual([2]);
    await expect(until(global, 2)).resolves.toEqual([1, 2]);
  });

  it('takes a token for one stream in the URL, and no access token there', async () => {
    const made = await app.call<{ token: string }>('POST', '/api/v1/events/me/token', {
      credential: ada.accessToken,
    });
    expect(made).toMatchObject({ status: 200, body: { expiresInSeconds: 60 } });
    const { token } = made.body;
    const stream = await follow(`me?token=${token}`);
    await happen(ada, 1);
    await expect(until(stream, 1)).resolves.toEqual([1]);
    for (const path of [
      `${ada.keyId}?token=${token}`,
      `${ada.userId}?token=${token}`,
      `me/history?token=${token}`,
      `me?token=${ada.accessToken}`,
      `me?token=${ada.key}`,
      'me',
    ]) {
      await expect(follow(path)).resolves.toMatchObject({ status: 401 });
    }
    const asBearer = await app.call('GET', '/api/v1/auth/me', { credential: token });
    expect(asBearer.status).toBe(401);
  });

  it('answers HEAD at once', async () => {
    const answer = await app.call('HEAD', '/api/v1/events/me', { credential: ada.accessToken });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
  });

  it('has a stream of each webhook, for its owner', async () => {
    const made = await app.call<{ id: string }>('POST', '/api/v1/webhooks', {
      credential: ada.accessToken,
      body: { url: 'https://example.com/', events: ['budget.*'] },
    });
    const statuses = [
      (await follow(made.body.id, ada)).status,
      (await follow(made.body.id, bob)).status,
      (await follow(made.body.id, app.admin)).status,
    ];
    expect(statuses).toEqual([200, 404, 200]);
  });

  it('lets viewers read and make tokens', async () => {
    await app.database.query(`update users set role = 'viewer' where id = $1`, [
      fromApiId('usr', ada.userId),
    ]);
    const credential = ada.accessToken;
    const made = await app.call('POST', '/api/v1/events/me/token', { credential });
    const history = await app.call('GET', '/api/v1/events/me/history', { credential });
    expect([made.status, history.status, (await follow('me', ada)).status]).toEqual([200, 200, 200]);
  });

  it('bounds how many streams a user has open, and frees a place when one closes', async () => {
    const open = await Promise.all(Array.from({ length: 20 }, () => follow('me', ada)));
    expect(new Set(open.map(({ status }) => status))).toEqual(new Set([200]));
    await expect(follow('me', ada)).resolves.toMatchObject({
      status: 429,
      body: { error: { code: 'TOO_MANY_EVENT_STREAMS' } },
    });
    await expect(follow('me', bob)).resolves.toMatchObject({ status: 200 });
    open[0]?.close();
    await eventually(async () => ((await follow('me', ada)).status === 200 ? true : undefined));
  });

  it('ends when the credential, the session or the user is revoked, and only then', async () => {
    const cases = [
      [
        await app.register(),
        (account: Account) =>
          app.call('DELETE', `/api/v1/keys/${account.keyId}`, { credential: account.accessToken }),
        'key',
      ],
      [
        await app.register(),
        (account: Account) =>
          app.database.query('update users set disabled_at = now() where id = $1', [
            fromApiId('usr', account.userId),
          ]),
        'token',
      ],
      [
        await app.register(),
        (account: Account) =>
          app.call('POST', '/api/v1/auth/logout', { credential: account.accessToken, body: {} }),
        'token',
      ],
    ] as const;
    const untouched = await follow('me', ada);
    for (const [account, revoke, kind] of cases) {
      const credential = kind === 'key' ? account.key : account.accessToken;
      const stream = await follow('me', undefined, { authorization: `Bearer ${credential}` });
      await app.app.get(EventStreams).recheck();
      await happen(account, 1);
      await until(stream, 1);
      await revoke(account);
      await app.app.get(EventStreams).recheck();
      await stream.ended;
      expect(stream.events.at(-1)).toMatchObject({
        name: 'error',
        data: { error: { code: 'UNAUTHENTICATED', requestId: expect.stringMatching(/^req_/) } },
      });
    }
    await happen(ada, 2);
    await expect(until(untouched, 2)).resolves.toEqual([2]);
  });

  it.each([
    [
      'its session ends',
      (account: Account) => account.accessToken,
      (account: Account) =>
        app.call('POST', '/api/v1/auth/logout', { credential: account.accessToken, body: {} }),
    ],
    [
      'its key is revoked',
      (account: Account) => account.key,
      (account: Account) =>
        app.call('DELETE', `/api/v1/keys/${account.keyId}`, { credential: account.accessToken }),
    ],
    [
      'its key is rotated',
      (account: Account) => account.key,
      (account: Account) =>
        app.call('POST', `/api/v1/keys/${account.keyId}/rotate`, {
          credential: account.accessToken,
          body: {},
        }),
    ],
    [
      'its access token is revoked',
      (account: Account) => account.accessToken,
      (account: Account) => {
        const claims = Buffer.from(account.accessToken.split('.')[1] ?? '', 'base64url').toString();
        return app.database.query(
          `insert into revoked_tokens (token_id, expires_at) values ($1, now() + interval '1 hour')`,
          [(JSON.parse(claims) as { jti: string }).jti],
        );
      },
    ],
  ])('ends a stream that an event token opened when %s, and opens none', async (_, credentialOf, revoke) => {
    const account = await app.register();
    const made = await app.call<{ token: string }>('POST', '/api/v1/events/me/token', {
      credential: credentialOf(account),
    });
    const stream = await follow(`me?token=${made.body.token}`);
    await app.app.get(EventStreams).recheck();
    await happen(account, 1);
    await until(stream, 1);
    await revoke(account);
    await app.app.get(EventStreams).recheck();
    await stream.ended;
    expect(stream.events.at(-1)).toMatchObject({
      name: 'error',
      data: { error: { code: 'UNAUTHENTICATED' } },
    });
    await expect(follow(`me?token=${made.body.token}`)).resolves.toMatchObject({ status: 401 });
  });

  it('ends the stream of a key whose reader was an administrator, with what only those may see', async () => {
    const account = await app.register();
    const id = fromApiId('usr', account.userId);
    await app.database.query(`update users set role = 'admin' where id = $1`, [id]);
    const stream = await follow(account.keyId, account);
    await app.app.get(EventStreams).recheck();
    await app.database.query(`update users set role = 'operator' where id = $1`, [id]);
    await app.app.get(EventStreams).recheck();
    await stream.ended;
    expect(stream.events.at(-1)?.data).toMatchObject({ error: { code: 'FORBIDDEN' } });
  });

  it('ends the global stream of an administrator who is one no more', async () => {
    const account = await app.register();
    const id = fromApiId('usr', account.userId);
    await app.database.query(`update users set role = 'admin' where id = $1`, [id]);
    const stream = await follow('global', account);
    expect(stream.status).toBe(200);
    await app.database.query(`update users set role = 'operator' where id = $1`, [id]);
    await app.app.get(EventStreams).recheck();
    await stream.ended;
    expect(stream.events.at(-1)?.data).toMatchObject({ error: { code: 'NOT_FOUND' } });
  });

  it('lists the history newest first, in pages that only the caller can turn', async () => {
    await happen(ada, 1, 2, 3);
    const options = { credential: ada.accessToken };
    const all: unknown[] = [];
    let query = '';
    let cursor: string | null = null;
    do {
      const page = await app.call<{ data: { data: { number: number } }[]; nextCursor: string | null }>(
        'GET',
        `/api/v1/events/me/history?limit=2${query}`,
        options,
      );
      expect(page.status).toBe(200);
      all.push(...page.body.data.map(({ data }) => data.number));
      cursor = page.body.nextCursor ?? cursor;
      query = page.body.nextCursor === null ? '' : `&cursor=${page.body.nextCursor}`;
    } while (query !== '');
    expect(all).toEqual([3, 2, 1]);
    const foreign = await app.call('GET', `/api/v1/events/me/history?cursor=${cursor}`, {
      credential: bob.accessToken,
    });
    expect(foreign).toMatchObject({ status: 400, body: { error: { param: 'cursor' } } });
  });

  it('ends streams at once and cleanly when the service leaves', async () => {
    const own = await startApp({ BACKGROUND_TASK_TIMEOUT: '20' });
    const stream = await connectEvents(`${own.url}/api/v1/events/me`, {
      authorization: `Bearer ${own.admin.accessToken}`,
    });
    await eventually(async () => stream.lastEventId);
    const startedAt = performance.now();
    await shutDown(own.app, own.config);
    await stream.ended;
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    expect(stream.events.at(-1)).toMatchObject({
      name: 'error',
      data: { error: { code: 'SERVICE_UNAVAILABLE' } },
    });
    await own.close();
  });
});
