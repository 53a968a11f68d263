import { type RequestContext, toApiId } from '../../../src/common/index';
import { ConflictError, NotFoundError } from '../../../src/errors/index';
import { CredentialDirectory } from '../../../src/providers/credentials/credential-directory';
import { CredentialResealer } from '../../../src/providers/credentials/credential-resealer';
import { CredentialUnreadableError } from '../../../src/providers/credentials/credential.errors';
import { CredentialsService } from '../../../src/providers/credentials/credentials.service';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';
import { type CredentialsNode, newCaller, startNode } from './credentials-node';

const [OLD_SECRET, NEW_SECRET] = ['o'.repeat(40), 'n'.repeat(40)];
const KEY = 'the-own-key-of-an-owner-0001';
const OTHER_KEY = 'another-key-of-that-owner-0002';

/** Waits until a process calls with this key. */
const hears = (node: CredentialsNode, who: RequestContext, key: string | undefined) =>
  eventually(async () => (await node.keyFor(who)) === key || undefined);

describe(CredentialsService.name, () => {
  let database: TestDatabase;
  let here: CredentialsNode;
  let there: CredentialsNode;
  let ada: RequestContext;

  beforeAll(async () => {
    database = await createTestDatabase();
    [here, there] = await Promise.all([startNode(database.url), startNode(database.url)]);
  });

  afterAll(async () => {
    await Promise.all([here.close(), there.close()]);
    await database.drop();
  });

  beforeEach(async () => void (ada = await newCaller(here.database)));

  const create = (ctx = ada, more: object = {}) =>
    here.credentials.create(ctx, {
      provider: 'openai',
      name: 'mine',
      isActive: true,
      secret: { apiKey: KEY },
      ...more,
    });
  const apiId = ({ id }: { id: string }) => toApiId('crd', id);
  const update = (id: string, wanted: { isActive?: boolean; name?: string | null }, apiKey?: string) =>
    here.credentials.update(ada, id, wanted, () => (apiKey === undefined ? undefined : { apiKey }));

  describe('in two processes', () => {
    it('holds at once where it was made, and elsewhere as soon as that hears of it', async () => {
      const made = await create();
      expect(await here.keyFor(ada)).toBe(KEY);
      await hears(there, ada, KEY);
      await update(apiId(made), {}, OTHER_KEY);
      expect(await here.keyFor(ada)).toBe(OTHER_KEY);
      await hears(there, ada, OTHER_KEY);
      await here.credentials.remove(ada, apiId(made));
      expect(await here.keyFor(ada)).toBeUndefined();
      await hears(there, ada, undefined);
    });

    it('makes a provider without a key of the installation available to its owner only, in both', async () => {
      const bob = await newCaller(here.database);
      const made = await create(ada, { provider: 'xai' });
      const isAvailable = ({ registry }: CredentialsNode, who: RequestContext) =>
        registry.isAvailable('xai', who.principal.userId);
      expect([isAvailable(here, ada), isAvailable(here, bob)]).toEqual([true, false]);
      await eventually(async () => isAvailable(there, ada) || undefined);
      expect(isAvailable(there, bob)).toBe(false);
      await update(apiId(made), { isActive: false });
      expect(isAvailable(here, ada)).toBe(false);
      await eventually(async () => !isAvailable(there, ada) || undefined);
    });

    it('is known to a process that starts later', async () => {
      await create();
      const late = await startNode(database.url);
      try {
        expect(await late.keyFor(ada)).toBe(KEY);
      } finally {
        await late.close();
      }
    });

    it('ends with its owner, and with its row however that went', async () => {
      await create();
      const bob = await newCaller(here.database);
      await create(bob);
      await hears(there, ada, KEY);
      await here.database.query('delete from users where id = $1', [ada.principal.userId]);
      await here.database.query('delete from provider_credentials where user_id = $1', [
        bob.principal.userId,
      ]);
      for (const who of [ada, bob]) {
        for (const node of [here, there]) {
          await hears(node, who, undefined);
        }
      }
    });
  });

  it('stores no byte of the key, and tells the audit log nothing of it', async () => {
    const made = await create();
    await update(apiId(made), { name: 'renamed' }, OTHER_KEY);
    await here.credentials.remove(ada, apiId(made));
    const again = await create();
    const rows: { row: string }[] = await here.database.query(
      `select c::text || encode(c.sealed, 'escape') as row from provider_credentials c where id = $1`,
      [again.id],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).not.toContain(KEY.slice(0, 12));
    const entries: { action: string; text: string }[] = await here.database.query(
      `select action, row_to_json(a)::text as text from audit_entries a where actor_id = $1 order by position`,
      [ada.principal.userId],
    );
    const actions = ['create', 'update', 'delete', 'create'].map((verb) => `credential.${verb}`);
    expect(entries.map(({ action }) => action)).toEqual(actions);
    expect(entries[1]?.text).toContain('"isSecretNew":true');
    for (const { text } of entries) {
      for (const secret of [KEY.slice(-4), OTHER_KEY.slice(-4)]) expect(text).not.toContain(`"${secret}"`);
      expect(text).not.toContain(KEY.slice(0, 12));
    }
  });

  describe('one active per owner and provider', () => {
    it('refuses a second, and takes it switched off or for another provider or owner', async () => {
      await create();
      await expect(create()).rejects.toBeInstanceOf(ConflictError);
      const second = await create(ada, { isActive: false, secret: { apiKey: OTHER_KEY } });
      await create(ada, { provider: 'xai' });
      await create(await newCaller(here.database));
      await expect(update(apiId(second), { isActive: true })).rejects.toBeInstanceOf(ConflictError);
      expect(await here.keyFor(ada)).toBe(KEY);
    });

    it('holds for requests that come together', async () => {
      const all = await Promise.allSettled(Array.from({ length: 6 }, () => create()));
      expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const refused = all.filter((one) => one.status === 'rejected').map(({ reason }) => reason as unknown);
      for (const reason of refused) expect(reason).toBeInstanceOf(ConflictError);
    });

    it('changes over from one to the other', async () => {
      const [first, second] = [
        await create(),
        await create(ada, { isActive: false, secret: { apiKey: OTHER_KEY } }),
      ];
      await update(apiId(first), { isActive: false });
      expect(await here.keyFor(ada)).toBeUndefined();
      await update(apiId(second), { isActive: true });
      expect(await here.keyFor(ada)).toBe(OTHER_KEY);
    });
  });

  it('bounds how many a user has', async () => {
    for (let count = 0; count < 50; count += 1) await create(ada, { isActive: false });
    await expect(create(ada, { isActive: false })).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('keeps administrators from changing and trying what is somebody else’s', async () => {
    const made = await create();
    const admin = await newCaller(here.database, 'admin');
    expect(await here.credentials.get(admin, apiId(made))).toMatchObject({ provider: 'openai' });
    const change = here.credentials.update(admin, apiId(made), { name: 'x' }, () => undefined);
    await expect(change).rejects.toBeInstanceOf(NotFoundError);
    await expect(here.credentials.verify(admin, apiId(made))).rejects.toBeInstanceOf(NotFoundError);
    expect(await here.keyFor(admin)).toBeUndefined();
    await here.credentials.remove(admin, apiId(made));
    expect(await here.keyFor(ada)).toBeUndefined();
  });

  it('notes when it was used', async () => {
    const made = await create();
    expect(made.lastUsedAt).toBeNull();
    await here.keyFor(ada);
    const noted = () =>
      here.credentials.get(ada, apiId(made)).then(({ lastUsedAt }) => lastUsedAt ?? undefined);
    expect(await eventually(noted)).toBeInstanceOf(Date);
  });
});

describe('rotation of the secret key', () => {
  let database: TestDatabase;
  let nodes: CredentialsNode[] = [];

  beforeAll(async () => void (database = await createTestDatabase()));
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    nodes = [];
  });
  afterAll(() => database.drop());

  async function nodeWith(key: string, previous?: string): Promise<CredentialsNode> {
    const env = { LATTICE_SECRET_KEY: key, LATTICE_PREVIOUS_SECRET_KEYS: previous };
    const node = await startNode(database.url, env);
    nodes.push(node);
    return node;
  }

  it('seals stored keys anew, after which the previous secret key is not needed', async () => {
    const before = await nodeWith(OLD_SECRET);
    const ada = await newCaller(before.database);
    const { id } = await before.credentials.create(ada, {
      provider: 'openai',
      name: null,
      isActive: true,
      secret: { apiKey: KEY },
    });
    expect(await before.keyFor(ada)).toBe(KEY);
    const rotated = await nodeWith(NEW_SECRET, OLD_SECRET);
    await rotated.module.get(CredentialResealer).run(ada.signal);
    expect(await rotated.keyFor(ada)).toBe(KEY);
    const after = await nodeWith(NEW_SECRET);
    expect(await after.keyFor(ada)).toBe(KEY);
    expect(await after.credentials.get(ada, toApiId('crd', id))).toMatchObject({ state: 'ready' });
    // What a process has in memory is the same key still, however late it hears of its own change.
    await before.module.get(CredentialDirectory).changed(ada.principal.userId);
    expect(await before.keyFor(ada)).toBe(KEY);
  });

  it('without the previous key reports it, and lets nothing take its place until it is set again', async () => {
    const before = await nodeWith(OLD_SECRET);
    const ada = await newCaller(before.database);
    const { id } = await before.credentials.create(ada, {
      provider: 'openai',
      name: null,
      isActive: true,
      secret: { apiKey: KEY },
    });
    const lost = await nodeWith(NEW_SECRET, undefined);
    const apiId = toApiId('crd', id);
    await lost.module.get(CredentialResealer).run(ada.signal);
    expect(await lost.credentials.get(ada, apiId)).toMatchObject({ state: 'unreadable' });
    await expect(lost.keyFor(ada)).rejects.toBeInstanceOf(CredentialUnreadableError);
    await expect(lost.credentials.verify(ada, apiId)).rejects.toBeInstanceOf(CredentialUnreadableError);
    const set = await lost.credentials.update(ada, apiId, {}, () => ({ apiKey: OTHER_KEY }));
    expect(set.state).toBe('ready');
    expect(await lost.keyFor(ada)).toBe(OTHER_KEY);
  });
});
