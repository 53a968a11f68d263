import { newId, type RequestContext, toApiId } from '../../../src/common/index';
import { ForbiddenError, NotFoundError } from '../../../src/errors/index';
import { Preferences } from '../../../src/scoring/index';
import { aContext } from '../../support/factories';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';
import { type ScoringNode, startScoringNode } from './scoring-node';

const CHEAP = { capability: 0.1, context: 0.1, speed: 0.1, cost: 0.7 };

describe(Preferences.name, () => {
  let database: TestDatabase;
  let node: ScoringNode;
  let other: ScoringNode;
  let ada: string;
  let asAda: RequestContext;

  beforeAll(async () => {
    database = await createTestDatabase();
    [node, other] = [await startScoringNode(database.url), await startScoringNode(database.url)];
  });

  afterAll(async () => {
    await Promise.all([node, other].map((one) => one.close()));
    await database.drop();
  });

  beforeEach(async () => {
    ada = await addUser();
    asAda = aContext({ principal: { userId: ada, role: 'operator' } });
  });

  async function addUser(): Promise<string> {
    const id = newId();
    await node.database.query(
      `insert into users (id, email, name, role, password_hash) values ($1, $2, 'x', 'operator', 'x')`,
      [id, `${id}@example.com`],
    );
    return id;
  }

  const audited = () =>
    node.database.query<{ action: string; resource_id: string; before: unknown; after: unknown }[]>(
      `select action, resource_id, before, after from audit_entries where resource_id = $1 order by id`,
      [toApiId('usr', ada)],
    );

  it('are known at once where they were set, and soon in every other process', async () => {
    expect(node.preferences.of(ada)).toBeUndefined();
    const wanted = { strategies: { auto: CHEAP }, quality: 0.9, answerWorthUsd: 0.02 };
    await node.settings.set(asAda, wanted);
    expect(node.preferences.of(ada)).toEqual(wanted);
    await eventually(() => Promise.resolve(other.preferences.of(ada)));
    expect(other.preferences.of(ada)).toEqual(node.preferences.of(ada));
    await other.settings.remove(asAda);
    expect(other.preferences.of(ada)).toBeUndefined();
    await eventually(() => Promise.resolve(node.preferences.of(ada) === undefined || undefined));
  });

  it('are there after a restart, and nobody else’s', async () => {
    await node.settings.set(asAda, { strategies: {}, quality: 0.8 });
    const restarted = await startScoringNode(database.url);
    expect(restarted.preferences.of(ada)).toEqual({ strategies: {}, quality: 0.8 });
    expect(restarted.preferences.of(await addUser())).toBeUndefined();
    await restarted.close();
  });

  it('are replaced as a whole', async () => {
    const before = { strategies: { auto: CHEAP, best: CHEAP }, quality: 0.9, answerWorthUsd: 1 };
    await node.settings.set(asAda, before);
    const shown = await node.settings.set(asAda, { strategies: { fast: CHEAP } });
    expect(node.preferences.of(ada)).toEqual({ strategies: { fast: CHEAP }, quality: undefined });
    expect(shown).toMatchObject({
      userId: toApiId('usr', ada),
      strategies: { auto: { source: 'installation' }, fast: { source: 'own', weights: CHEAP } },
      quality: null,
      answerWorthUsd: null,
    });
  });

  it('have the same version for the same content, and another for others', async () => {
    const versions = [];
    for (const wanted of [{ quality: 0.9 }, { quality: 0.95 }, { quality: 0.9 }]) {
      versions.push((await node.settings.set(asAda, { strategies: {}, ...wanted })).version);
    }
    expect(versions[0]).toBe(versions[2]);
    expect(versions[0]).not.toBe(versions[1]);
    const { version } = await node.settings.set(asAda, { strategies: {}, quality: 0.9, answerWorthUsd: 1 });
    expect(versions).not.toContain(version);
  });

  it('of others are an administrator’s to change, and that is in the audit log; what is your own is not', async () => {
    const admin = aContext({ principal: { userId: await addUser(), role: 'admin' } });
    const wanted = { strategies: { auto: CHEAP } };
    await node.settings.set(asAda, { strategies: {}, quality: 0.5 });
    expect(await audited()).toEqual([]);
    await node.settings.set(admin, wanted, toApiId('usr', ada));
    expect(node.preferences.of(ada)).toMatchObject(wanted);
    await node.settings.remove(admin, toApiId('usr', ada));
    expect(await audited()).toMatchObject([
      {
        action: 'routing_preferences.set',
        before: { quality: 0.5 },
        after: { ...wanted, quality: null, answerWorthUsd: null },
      },
      { action: 'routing_preferences.delete', before: wanted, after: null },
    ]);
  });

  it('of others are nobody else’s', async () => {
    const bob = toApiId('usr', await addUser());
    await expect(node.settings.get(asAda, bob)).rejects.toThrow(ForbiddenError);
    await expect(node.settings.set(asAda, { strategies: {} }, bob)).rejects.toThrow(ForbiddenError);
    await expect(node.settings.remove(asAda, bob)).rejects.toThrow(ForbiddenError);
  });

  it('of nobody are not there', async () => {
    const admin = aContext({ principal: { userId: await addUser(), role: 'admin' } });
    const nobody = toApiId('usr', newId());
    await expect(node.settings.get(admin, nobody)).rejects.toThrow(NotFoundError);
    await expect(node.settings.set(admin, { strategies: {} }, nobody)).rejects.toThrow(NotFoundError);
    await expect(node.settings.remove(admin, nobody)).rejects.toThrow(NotFoundError);
  });

  it('go with the user', async () => {
    await node.settings.set(asAda, { strategies: { auto: CHEAP } });
    await node.database.query('delete from users where id = $1', [ada]);
    await eventually(() => Promise.resolve(node.preferences.of(ada) === undefined || undefined));
  });
});
