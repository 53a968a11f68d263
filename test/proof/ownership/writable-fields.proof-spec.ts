/**
 * Promise 7: no field of any request can set an owner, a role, spend or state. Every writing route of the OpenAPI
 * document is called with a valid body and, one at a time, with fields that it does not declare.
 */
import { type Account, startApp, type TestApp } from '../../support/app';
import { reportProof } from '../../support/proof-report';
import { type Belongings, belongingsOf, ownedPart, stateOf } from './belongings';
import { type Target, targetsOf } from './route-document';

/** What somebody would try to smuggle in. */
const FORBIDDEN: Readonly<Record<string, unknown>> = {
  id: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5',
  userId: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5',
  user_id: '0192f0c1-a2b3-7c4d-8e5f-60718293a4b5',
  ownerId: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5',
  owner: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5',
  createdBy: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5',
  role: 'admin',
  isAdmin: true,
  permissions: ['*'],
  spentUsd: '0',
  heldUsd: '0',
  spent_pico: 0,
  isDefault: true,
  state: 'approved',
  status: 'approved',
  disabledAt: null,
  revokedAt: null,
  keyHash: 'x',
  passwordHash: 'x',
  secret: 'x',
  createdAt: '2020-01-01T00:00:00Z',
};

/** OpenAI's dialect is open: fields that are unknown here go to the model and nowhere else. */
const OPEN_BODIES = new Set(['POST /v1/chat/completions', 'POST /v1/embeddings', 'POST /api/v1/route']);

/** Here a field that is null counts as absent, whatever its name. */
const IGNORES_NULL = new Set(['POST /v1/messages', 'POST /v1/responses']);

describe('writable fields', () => {
  let app: TestApp;
  let mine: Belongings;
  let other: Account;
  let targets: readonly Target[];
  let tried = 0;

  beforeAll(async () => {
    app = await startApp();
    mine = await belongingsOf(app, await app.register());
    other = await app.register();
    targets = (await targetsOf(app)).filter(({ method, body }) => method !== 'GET' && body !== undefined);
  });

  afterAll(async () => {
    reportProof(8, { 'writing routes': targets.length, 'forbidden fields tried': tried });
    await app.close();
  });

  const path = (target: Target): string => {
    const part = ownedPart(target.path, mine.ids);
    const id = (part && mine.ids[part]) ?? 'x';
    return target.path.replaceAll(/\{\w+\}/g, id);
  };

  it('are those that the document declares, and none that sets owner, role, spend or state', async () => {
    const before = await Promise.all([
      stateOf(app, mine.account),
      stateOf(app, other),
      stateOf(app, app.admin),
    ]);
    const accepted: string[] = [];
    for (const target of targets) {
      const { key } = target;
      if (OPEN_BODIES.has(key)) continue;
      const credential = target.routeClass === 'admin' ? app.admin.accessToken : mine.account.accessToken;
      for (const [field, value] of Object.entries(FORBIDDEN)) {
        if (target.fields.includes(field) || (value === null && IGNORES_NULL.has(key))) continue;
        tried += 1;
        const answer = await app.call<{ error?: { message: string; param: string | null } }>(
          target.method,
          path(target),
          {
            credential: target.routeClass === 'public' ? null : credential,
            body: { ...target.body, [field]: value },
          },
        );
        const { error } = answer.body;
        const isNamed = error?.param === field || error?.message.includes(field);
        if (answer.status !== 400 || !isNamed)
          accepted.push(`${key} ${field}: ${answer.status} ${answer.text.slice(0, 120)}`);
      }
    }
    expect(accepted).toEqual([]);
    const after = await Promise.all([
      stateOf(app, mine.account),
      stateOf(app, other),
      stateOf(app, app.admin),
    ]);
    expect(after).toEqual(before);
  });

  it('hold a declared role, state or owner only where administrators call, or where it narrows', () => {
    const sensitive = [
      'role',
      'ownerId',
      'userId',
      'owner',
      'spentUsd',
      'heldUsd',
      'state',
      'status',
      'isDisabled',
    ];
    const declared = targets.flatMap(({ key, fields, routeClass }) =>
      fields
        .filter((field) => sensitive.includes(field) && routeClass !== 'admin')
        .map((field) => `${key} ${field}`),
    );
    expect(declared).toEqual([]);
  });

  it('keep no meaning in open bodies', async () => {
    const before = await stateOf(app, mine.account);
    const answer = await app.call('POST', '/v1/chat/completions', {
      credential: mine.account.accessToken,
      body: {
        model: 'sandbox/small',
        messages: [{ role: 'user', content: 'Hi' }],
        userId: other.userId,
        key_id: other.keyId,
        role: 'admin',
        work: { projectId: '0192f0c1-a2b3-7c4d-8e5f-60718293a4b5' },
        principal: { userId: other.userId, role: 'admin' },
      },
    });
    expect(answer.status).toBe(200);
    expect(await stateOf(app, mine.account)).toContain(mine.account.email);
    const theirs = await app.call<{ data: unknown[] }>('GET', '/api/v1/usage/lines', {
      credential: other.accessToken,
    });
    expect(theirs.body.data).toEqual([]);
    expect((await stateOf(app, mine.account)).length).toBeGreaterThanOrEqual(before.length);
  });
});
