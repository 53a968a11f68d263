import { type RequestContext, toApiId } from '../../../src/common/index';
import { Outbox } from '../../../src/events/index';
import { EventRepository } from '../../../src/events/event.repository';
import {
  type ClaimedDelivery,
  DeliveriesRepository,
} from '../../../src/events/webhooks/deliveries.repository';
import { WebhooksService } from '../../../src/events/webhooks/webhooks.service';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { type EventsNode, newCaller, startNode } from './events-app';

const DAY_MS = 86_400_000;
/** The order in which the webhooks below are due, against the order in which they were made and their ids. */
const DUE_ORDER = [3, 0, 4, 1, 2];

describe('claims of deliveries', () => {
  let database: TestDatabase;
  let node: EventsNode;
  let ctx: RequestContext;
  let deliveries: DeliveriesRepository;

  beforeEach(async () => {
    database = await createTestDatabase();
    node = await startNode(database.url);
    ctx = await newCaller(node.database);
    deliveries = node.module.get(DeliveriesRepository);
  });

  afterEach(async () => {
    await node.close();
    await database.drop();
  });

  /** Two deliveries for each of five webhooks, due tomorrow, so that only the test takes them. */
  async function dueTomorrow(): Promise<string[]> {
    const service = node.module.get(WebhooksService);
    const ids: string[] = [];
    for (let number = 0; number < DUE_ORDER.length; number += 1) {
      const url = `https://example.com/${number}`;
      const settings = { url, events: ['*'], description: null, isActive: true, scope: 'own' } as const;
      ids.push((await service.create(ctx, settings)).webhook.id);
    }
    await node.database.query(
      `alter table webhook_deliveries alter next_attempt_at set default now() + interval '1 day'`,
    );
    const { userId } = ctx.principal;
    const event = { type: 'test.happened', resource: toApiId('usr', userId), ownerId: userId, data: {} };
    await node.module.get(Outbox).append([event, event], node.database);
    await node.module.get(EventRepository).publish(10);
    for (const [rank, index] of DUE_ORDER.entries()) {
      await node.database.query(
        `update webhook_deliveries set next_attempt_at = now() + interval '1 day' + make_interval(mins => $2)
         where webhook_id = $1`,
        [ids[index], rank],
      );
    }
    return DUE_ORDER.map((index) => ids[index] ?? '');
  }

  function claim(limit: number, busyWebhookIds: readonly string[] = []): Promise<ClaimedDelivery[]> {
    const now = new Date(Date.now() + 2 * DAY_MS);
    return deliveries.claim({ now, busyWebhookIds, perWebhook: 1, limit, leaseMs: 60_000 });
  }

  it('take first the webhook that has waited longest', async () => {
    const order = await dueTomorrow();
    const taken: string[] = [];
    while (taken.length < order.length) {
      const [found] = await claim(1, taken);
      taken.push(found?.webhookId ?? 'none');
    }
    expect(taken).toEqual(order);
  });

  it('go by what is still to be had of a webhook, not by what is under way', async () => {
    const order = await dueTomorrow();
    await node.database.query(
      `update webhook_deliveries set next_attempt_at = now() + interval '30 hours'
       where number = (select max(number) from webhook_deliveries where webhook_id = $1)`,
      [order[0]],
    );
    const first = await claim(1);
    const second = await claim(1);
    expect([...first, ...second].map(({ webhookId }) => webhookId)).toEqual(order.slice(0, 2));
  });
});
