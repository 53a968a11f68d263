import { isSignedWith, type Receiver, startReceiver } from '../integration/events/receiver';
import { type Account, startApp, type TestApp } from '../support/app';
import { connectEvents, type EventConnection } from '../support/event-source';
import { eventually } from '../support/eventually';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

/** 0.0000315 US dollars. */
const USAGE = { promptTokens: 10, completionTokens: 50 };

describe('thresholds of budgets', () => {
  let truth: TruthProvider;
  let app: TestApp;
  let receiver: Receiver;
  let ada: Account;
  let bob: Account;
  const connections: EventConnection[] = [];

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url, OUTBOUND_ALLOWED_HOSTS: '127.0.0.1' });
    receiver = await startReceiver();
  });

  afterAll(async () => {
    await app.close();
    await receiver.close();
    await truth.stop();
  });

  beforeEach(async () => {
    [ada, bob] = [await app.register(), await app.register()];
    receiver.received.length = 0;
    await truth.script({ times: 'always', usage: USAGE });
  });

  afterEach(async () => {
    for (const connection of connections.splice(0)) connection.close();
    await truth.clearScripts();
  });

  const budget = async (body: object): Promise<string> => {
    const made = await app.call<{ id: string }>('POST', '/api/v1/budgets', {
      credential: app.admin.accessToken,
      body: { period: 'day', limitUsd: '0.00006', mode: 'soft', ...body },
    });
    expect(made.status).toBe(201);
    return made.body.id;
  };

  const ask = ({ key }: Account) => app.chat(key, { max_tokens: 50 });

  const follow = async (resource: string, account: Account): Promise<EventConnection> => {
    const headers = { authorization: `Bearer ${account.accessToken}` };
    const connection = await connectEvents(`${app.url}/api/v1/events/${resource}`, headers);
    connections.push(connection);
    return connection;
  };

  const webhook = async ({ accessToken }: Account, more: object = {}): Promise<string> => {
    const made = await app.call<{ secret: string }>('POST', '/api/v1/webhooks', {
      credential: accessToken,
      body: { url: receiver.url, events: ['budget.threshold'], ...more },
    });
    expect(made.status).toBe(201);
    return made.body.secret;
  };

  const percentsOf = ({ events }: EventConnection): unknown[] =>
    events.map(({ data }) => (data.data as { percent: unknown }).percent);

  it('reach a webhook and event streams, each once, signed', async () => {
    const id = await budget({ scope: 'key', scopeId: ada.keyId });
    const secret = await webhook(ada);
    await webhook(bob);
    const [ofBudget, ofAda, ofBob] = [
      await follow(id, ada),
      await follow('me', ada),
      await follow('me', bob),
    ];
    await ask(ada);
    await eventually(async () => (percentsOf(ofBudget).includes(50) ? true : undefined));
    await ask(ada);
    await eventually(async () => (percentsOf(ofBudget).includes(100) ? true : undefined));
    await ask(ada);
    await eventually(async () => (receiver.received.length >= 3 ? true : undefined), 15_000);

    expect(percentsOf(ofBudget)).toEqual([50, 80, 100]);
    expect(percentsOf(ofAda)).toEqual([50, 80, 100]);
    expect(ofBob.events).toEqual([]);
    const percents = receiver.received.map(({ event }) => event.data.percent as number);
    expect(percents.toSorted((left, right) => left - right)).toEqual([50, 80, 100]);
    expect(receiver.received.every((received) => isSignedWith(secret, received))).toBe(true);
    const first = receiver.received.find(({ event }) => event.data.percent === 50)?.event;
    expect(first).toMatchObject({
      type: 'budget.threshold',
      resource: id,
      data: {
        budgetId: id,
        scope: 'key',
        scopeId: ada.keyId,
        period: 'day',
        periodStart: expect.stringMatching(/T00:00:00\.000Z$/),
        percent: 50,
        spentUsd: '0.0000315',
        limitUsd: '0.00006',
        mode: 'soft',
        resetsAt: expect.stringMatching(/T00:00:00\.000Z$/),
      },
    });
  });

  it('are told when a limit is lowered to what is spent', async () => {
    const id = await budget({ scope: 'user', scopeId: ada.userId, period: 'total', limitUsd: '1' });
    const stream = await follow(id, ada);
    await ask(ada);
    await app.call('PATCH', `/api/v1/budgets/${id}`, {
      credential: app.admin.accessToken,
      body: { limitUsd: '0.0000315' },
    });
    await eventually(async () => (percentsOf(stream).includes(100) ? true : undefined));
    expect(percentsOf(stream)).toEqual([50, 80, 100]);
  });

  it('of the installation reach administrators only', async () => {
    const [ofAdmin, ofAda] = [await follow('global', app.admin), await follow('me', ada)];
    const id = await budget({ scope: 'global', period: 'total', limitUsd: '0.000001' });
    const statuses = [await follow(id, ada), await follow(id, app.admin)].map(({ status }) => status);
    expect(statuses).toEqual([404, 200]);
    await webhook(ada);
    await ask(ada);
    const own = await budget({ scope: 'user', scopeId: ada.userId, limitUsd: '0.00000001' });
    const told = ({ events }: EventConnection, resource: string) =>
      events
        .filter(({ data }) => data.resource === resource)
        .map(({ data }) => (data.data as { percent: unknown }).percent);
    await eventually(async () => (told(ofAdmin, id).length >= 3 ? true : undefined));
    expect(told(ofAdmin, id)).toEqual([50, 80, 100]);
    await eventually(async () => (percentsOf(ofAda).includes(100) ? true : undefined));
    expect(new Set(ofAda.events.map(({ data }) => data.resource))).toEqual(new Set([own]));
    await eventually(async () => (receiver.received.length >= 3 ? true : undefined), 15_000);
    expect(new Set(receiver.received.map(({ event }) => event.resource))).toEqual(new Set([own]));
    await app.call('DELETE', `/api/v1/budgets/${id}`, { credential: app.admin.accessToken });
    await app.call('DELETE', `/api/v1/budgets/${own}`);
  });

  it('open the stream of a budget to nobody whom it does not concern', async () => {
    const id = await budget({ scope: 'key', scopeId: ada.keyId });
    const statuses = [await follow(id, ada), await follow(id, bob), await follow(id, app.admin)];
    expect(statuses.map(({ status }) => status)).toEqual([200, 404, 200]);
  });
});
