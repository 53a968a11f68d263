import { type RequestContext, toApiId } from '../../../src/common/index';
import { type NewEvent, Outbox } from '../../../src/events/index';
import { EventRepository } from '../../../src/events/event.repository';
import { DeliveriesRepository, type Delivery } from '../../../src/events/webhooks/deliveries.repository';
import { type WebhookWithSecret, WebhooksService } from '../../../src/events/webhooks/webhooks.service';
import type { WebhookSettings } from '../../../src/events/webhooks/webhook';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';
import { type EventsNode, newCaller, startNode, TestClock } from './events-app';
import { isSignedWith, type Receiver, startReceiver } from './receiver';

const MINUTE_MS = 60_000;

describe('webhook deliveries', () => {
  let database: TestDatabase;
  let receiver: Receiver;
  const nodes: EventsNode[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
    receiver = await startReceiver();
  });

  afterEach(async () => {
    await receiver.close();
    for (const node of nodes.splice(0)) await node.close();
    await database.drop();
  });

  async function start(...[options]: [Parameters<typeof startNode>[1]?]): Promise<EventsNode> {
    const node = await startNode(database.url, options);
    nodes.push(node);
    return node;
  }

  function hook(
    node: EventsNode,
    ctx: RequestContext,
    more: Partial<WebhookSettings> = {},
  ): Promise<WebhookWithSecret> {
    return node.module.get(WebhooksService).create(ctx, {
      url: receiver.url,
      events: ['*'],
      description: null,
      isActive: true,
      scope: 'own',
      ...more,
    });
  }

  function event(ctx: RequestContext, type = 'budget.threshold', data: NewEvent['data'] = {}): NewEvent {
    const { userId } = ctx.principal;
    return { type, resource: toApiId('usr', userId), ownerId: userId, data };
  }

  function append(node: EventsNode, ...events: NewEvent[]): Promise<void> {
    return node.module.get(Outbox).append(events, node.database);
  }

  function deliveriesOf(
    node: EventsNode,
    ctx: RequestContext,
    { webhook }: WebhookWithSecret,
  ): Promise<Delivery[]> {
    return node.module.get(DeliveriesRepository).list(ctx, webhook.id, 100);
  }

  /** The only delivery, once it looks as the test waits for. */
  function delivery(
    node: EventsNode,
    ctx: RequestContext,
    made: WebhookWithSecret,
    isReached: (found: Delivery) => boolean,
  ): Promise<Delivery> {
    return eventually(async () => {
      const [found] = await deliveriesOf(node, ctx, made);
      return found && isReached(found) ? found : undefined;
    }, 10_000);
  }

  it('posts the signed event, as the history shows it', async () => {
    const node = await start();
    const ctx = await newCaller(node.database);
    const made = await hook(node, ctx);
    await append(node, event(ctx, 'budget.threshold', { percent: 80, text: 'ü€' }));

    const found = await delivery(node, ctx, made, ({ status }) => status === 'delivered');

    expect(found).toMatchObject({ attempts: 1, lastStatus: 200, lastError: null, nextAttemptAt: null });
    expect(receiver.received).toHaveLength(1);
    const [received] = receiver.received;
    if (!received) throw new Error('unreachable');
    expect(received.event).toEqual({
      id: toApiId('evt', found.eventId),
      type: 'budget.threshold',
      resource: toApiId('usr', ctx.principal.userId),
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      data: { percent: 80, text: 'ü€' },
    });
    expect(received.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Lattice-Webhooks/1',
      'x-lattice-event': 'budget.threshold',
      'x-lattice-delivery': toApiId('dlv', found.id),
    });
    expect(isSignedWith(made.secret, received)).toBe(true);
    expect(isSignedWith(`${made.secret}x`, received)).toBe(false);
    expect(isSignedWith(made.secret, { ...received, body: received.body.replace('80', '81') })).toBe(false);
  });

  it.each<[string, Receiver['answer']]>([
    ['never begins', (response) => response.writeHead(200).flushHeaders()],
    [
      'is cut',
      (response) => {
        response.writeHead(200, { 'content-length': 5 }).flushHeaders();
        setImmediate(() => response.destroy());
      },
    ],
  ])('counts a 200 whose body %s as delivered, once', async (_, answer) => {
    const node = await start({ schedule: { timeoutMs: 3000 } });
    const ctx = await newCaller(node.database);
    const made = await hook(node, ctx);
    receiver.answer = answer;
    await append(node, event(ctx));
    const found = await delivery(node, ctx, made, ({ lastStatus, lastError }) =>
      Boolean(lastStatus ?? lastError),
    );
    expect(found).toMatchObject({ status: 'delivered', attempts: 1, lastStatus: 200, lastError: null });
    expect(receiver.received).toHaveLength(1);
  });

  it('signs with the new secret once it was rotated', async () => {
    const node = await start();
    const ctx = await newCaller(node.database);
    const made = await hook(node, ctx);
    const rotated = await node.module.get(WebhooksService).rotateSecret(ctx, toApiId('whk', made.webhook.id));
    await append(node, event(ctx));
    const received = await eventually(async () => receiver.received[0]);
    expect(rotated.secret).not.toBe(made.secret);
    expect(isSignedWith(rotated.secret, received)).toBe(true);
    expect(isSignedWith(made.secret, received)).toBe(false);
  });

  it('sends each webhook what it asks for of what its owner may see', async () => {
    const node = await start();
    const [ada, bob] = [await newCaller(node.database), await newCaller(node.database)];
    const [admin, former] = [
      await newCaller(node.database, 'admin'),
      await newCaller(node.database, 'admin'),
    ];
    const hooks = {
      all: await hook(node, ada),
      exact: await hook(node, ada, { events: ['budget.threshold'] }),
      prefix: await hook(node, ada, { events: ['budget.*'] }),
      other: await hook(node, ada, { events: ['budget', 'budget.thresholds', 'budgets.*'] }),
      off: await hook(node, ada, { isActive: false }),
      bob: await hook(node, bob),
      admin: await hook(node, admin),
      adminAll: await hook(node, admin, { scope: 'all' }),
      formerAll: await hook(node, former, { scope: 'all' }),
    };
    await node.database.query(`update users set role = 'operator' where id = $1`, [former.principal.userId]);
    await append(
      node,
      event(ada, 'budget.threshold'),
      event(ada, 'run.finished'),
      event(ada, 'webhook.failed'),
      { ...event(ada, 'system.notice'), ownerId: null },
    );
    await eventually(async () =>
      (await node.module.get(EventRepository).head()) === '4' ? true : undefined,
    );

    const counts = Object.fromEntries(
      await Promise.all(
        Object.entries(hooks).map(async ([name, made]) => {
          const found = await deliveriesOf(node, admin, made);
          return [name, found.map(({ eventType }) => eventType).toReversed()] as const;
        }),
      ),
    );
    expect(counts).toEqual({
      all: ['budget.threshold', 'run.finished'],
      exact: ['budget.threshold'],
      prefix: ['budget.threshold'],
      other: [],
      off: [],
      bob: [],
      admin: [],
      adminAll: ['budget.threshold', 'run.finished', 'system.notice'],
      formerAll: [],
    });
  });

  it('tries five times over an hour, then fails and tells the owner’s stream only', async () => {
    const clock = new TestClock();
    const node = await start({ clock });
    const ctx = await newCaller(node.database);
    receiver.answer = (response) => response.writeHead(500).end('a secret in the body');
    const made = await hook(node, ctx);
    await append(node, event(ctx));

    for (const [attempt, minutes] of [1, 5, 15, 39].entries()) {
      const before = clock.now();
      const found = await delivery(node, ctx, made, ({ attempts, nextAttemptAt }) => {
        return (
          attempts === attempt + 1 && nextAttemptAt !== null && nextAttemptAt.getTime() > before + 30_000
        );
      });
      expect(found).toMatchObject({
        status: 'pending',
        lastStatus: 500,
        lastError: 'The receiver answered 500',
      });
      const pauseMs = (found.nextAttemptAt?.getTime() ?? 0) - before;
      expect(Math.abs(pauseMs - minutes * MINUTE_MS)).toBeLessThan(25_000);
      clock.advance(minutes * MINUTE_MS + 1000);
    }
    const failed = await delivery(node, ctx, made, ({ status }) => status === 'failed');

    expect(failed).toMatchObject({ attempts: 5, nextAttemptAt: null, lastStatus: 500 });
    expect(receiver.received).toHaveLength(5);
    expect(new Set(receiver.received.map(({ headers }) => headers['x-lattice-delivery'])).size).toBe(1);
    const told = await eventually(async () => {
      const filter = { ownerId: ctx.principal.userId };
      const found = await node.module.get(EventRepository).after('0', filter, 10);
      return found.find(({ type }) => type === 'webhook.failed');
    });
    expect(told).toMatchObject({
      resource: toApiId('whk', made.webhook.id),
      data: {
        deliveryId: toApiId('dlv', failed.id),
        eventType: 'budget.threshold',
        attempts: 5,
        lastStatus: 500,
      },
    });
    await expect(deliveriesOf(node, ctx, made)).resolves.toHaveLength(1);
    expect(JSON.stringify([failed, told])).not.toContain('a secret in the body');
  });

  it('waits as long as the receiver asks', async () => {
    const node = await start();
    const ctx = await newCaller(node.database);
    receiver.answer = (response) => response.writeHead(503, { 'retry-after': '600' }).end();
    const made = await hook(node, ctx);
    await append(node, event(ctx));
    const found = await delivery(node, ctx, made, ({ lastStatus }) => lastStatus === 503);
    const pauseMs = (found.nextAttemptAt?.getTime() ?? 0) - Date.now();
    expect(Math.abs(pauseMs - 10 * MINUTE_MS)).toBeLessThan(25_000);
  });

  it('counts a redirect, a silent receiver and a closed port as failed tries', async () => {
    const node = await start({ schedule: { timeoutMs: 100 } });
    const ctx = await newCaller(node.database);
    const stored = await hook(node, ctx);
    const lastError = async (answer: Receiver['answer'], url = receiver.url): Promise<string> => {
      receiver.answer = answer;
      await node.database.query('update webhooks set url = $1', [url]);
      await append(node, event(ctx));
      const settled = await eventually(async () => {
        const found = await deliveriesOf(node, ctx, stored);
        return found[0]?.lastError ?? undefined;
      });
      await node.database.query('delete from webhook_deliveries');
      return settled;
    };
    await expect(
      lastError((response) => response.writeHead(302, { location: receiver.url }).end()),
    ).resolves.toBe('The receiver answered 302');
    await expect(lastError(() => undefined)).resolves.toBe('The receiver did not answer within 100 ms');
    await expect(lastError(() => undefined, 'http://127.0.0.1:1/')).resolves.toBe(
      'The receiver could not be reached (ECONNREFUSED)',
    );
    await expect(lastError(() => undefined, 'http://127.0.0.2:1/')).resolves.toMatch(
      /^The URL is not allowed/,
    );
    expect(receiver.received).toHaveLength(2);
  });

  it('sends again what a process sent and could not write down before it died', async () => {
    const schedule = { leaseMs: 1500, timeoutMs: 500 };
    const dying = await start({ schedule });
    const ctx = await newCaller(dying.database);
    const made = await hook(dying, ctx);
    const settle = jest.spyOn(dying.module.get(DeliveriesRepository), 'settle');
    settle.mockRejectedValue(new Error('The process dies here'));
    await append(dying, event(ctx));
    await eventually(async () => settle.mock.calls[0]);
    nodes.splice(nodes.indexOf(dying), 1);
    await dying.close();

    const other = await start({ schedule });
    const found = await delivery(other, ctx, made, ({ status }) => status === 'delivered');

    expect(found.attempts).toBe(2);
    expect(receiver.received.map(({ body }) => body)).toEqual([
      receiver.received[0]?.body,
      receiver.received[0]?.body,
    ]);
  });

  it('does not send a sixth time when the process died during the fifth try', async () => {
    const node = await start();
    const ctx = await newCaller(node.database);
    const made = await hook(node, ctx, { isActive: false });
    await append(node, event(ctx));
    await eventually(async () =>
      (await node.module.get(EventRepository).head()) === '1' ? true : undefined,
    );
    await node.database.query(`
      with switched as (update webhooks set is_active = true returning id)
      insert into webhook_deliveries (webhook_id, event_id, attempts, claim, leased_until)
      select switched.id, events.id, 5, gen_random_uuid(), now() from switched, events`);
    const found = await delivery(node, ctx, made, ({ status }) => status === 'failed');
    expect(found).toMatchObject({ attempts: 5, lastError: 'The service stopped during the last try' });
    expect(receiver.received).toHaveLength(0);
  });

  it('never sends one try twice, however many processes work', async () => {
    const workers = [await start(), await start(), await start()];
    const [node] = workers as [EventsNode];
    const ctx = await newCaller(node.database);
    const hooks = [await hook(node, ctx), await hook(node, ctx), await hook(node, ctx)];
    receiver.answer = (response, number) => {
      setTimeout(() => response.writeHead(200).end(), number % 7);
    };
    await Promise.all(
      Array.from({ length: 40 }, (_, number) =>
        append(workers[number % 3] ?? node, event(ctx, 'test.happened', { number })),
      ),
    );
    await eventually(async () => {
      const [row] = await node.database.query<{ count: number }[]>(
        `select count(*)::integer as count from webhook_deliveries where status = 'delivered'`,
      );
      return row?.count === 120 ? true : undefined;
    }, 20_000);

    const sent = receiver.received.map(({ headers }) => headers['x-lattice-delivery']);
    expect(sent).toHaveLength(120);
    expect(new Set(sent).size).toBe(120);
    const all = (await Promise.all(hooks.map((made) => deliveriesOf(node, ctx, made)))).flat();
    expect(new Set(all.map(({ attempts }) => attempts))).toEqual(new Set([1]));
  });

  it('gives back what it was sending when it leaves, and another process sends it', async () => {
    const leaving = await start();
    const ctx = await newCaller(leaving.database);
    const made = await hook(leaving, ctx);
    receiver.answer = () => undefined;
    await append(leaving, event(ctx));
    await eventually(async () => receiver.received[0]);
    nodes.splice(nodes.indexOf(leaving), 1);
    await leaving.close();

    receiver.answer = (response) => response.writeHead(204).end();
    const other = await start();
    const found = await delivery(other, ctx, made, ({ status }) => status === 'delivered');
    expect(found).toMatchObject({ attempts: 1, lastStatus: 204 });
  });

  it('gives up what waits when the webhook is switched off or its owner disabled, without a word', async () => {
    const clock = new TestClock();
    const node = await start({ clock });
    const [ada, bob] = [await newCaller(node.database), await newCaller(node.database)];
    receiver.answer = (response) => response.writeHead(500).end();
    const [first, second] = [await hook(node, ada), await hook(node, bob)];
    await append(node, event(ada), event(bob));
    for (const [ctx, made] of [
      [ada, first],
      [bob, second],
    ] as const) {
      await delivery(node, ctx, made, ({ lastStatus }) => lastStatus === 500);
    }
    const service = node.module.get(WebhooksService);
    await service.update(ada, toApiId('whk', first.webhook.id), { isActive: false });
    await node.database.query('update users set disabled_at = now() where id = $1', [bob.principal.userId]);
    clock.advance(2 * MINUTE_MS);
    for (const [ctx, made] of [
      [ada, first],
      [bob, second],
    ] as const) {
      const found = await delivery(node, ctx, made, ({ status }) => status === 'failed');
      expect(found.lastError).toMatch(/switched off/);
    }
    expect(receiver.received).toHaveLength(2);
    const [row] = await node.database.query<{ count: string }[]>('select count(*) from events');
    expect(row?.count).toBe('2');
  });
});
