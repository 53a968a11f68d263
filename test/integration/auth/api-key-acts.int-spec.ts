import { KeyAllowanceHost } from '../../../src/auth/index';
import { ServiceUnavailableError } from '../../../src/errors/index';
import { fromApiId, newId } from '../../../src/common/index';
import { type Account, type AuthApp, bootAuth } from './auth-app';

const KEYS = '/api/v1/keys';
const LIMITS = { requestsPerMinute: 60, concurrency: 2 };
const BUDGET = { period: 'month', limitUsd: '10.00', mode: 'hard' };

interface Entry {
  readonly action: string;
  readonly resource_id: string;
  readonly actor_id: string;
  readonly actor_key_id: string | null;
  readonly before: object | null;
  readonly after: object | null;
}

describe('acts on API keys', () => {
  let auth: AuthApp;
  let owner: Account;

  beforeAll(async () => {
    auth = await bootAuth();
    owner = await auth.register();
  });

  afterAll(() => auth.close());

  const call = (method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) =>
    auth.call(method, `${KEYS}${path}`, { body, credential: owner.accessToken });
  const entriesOf = (id: string): Promise<Entry[]> =>
    auth.database.query('select * from audit_entries where resource_id = $1 order by position', [id]);

  it('are audited, with what changed and without a secret', async () => {
    const settings = { name: 'audited', scopes: ['inference'], allowedModels: ['sandbox/*'] };
    const { id, key } = await auth.createKey(owner, settings);
    await call('PATCH', `/${id}`, { name: 'renamed', scopes: ['inference'], allowedModels: null });
    const rotated = await call('POST', `/${id}/rotate`, { graceSeconds: 60 });
    await call('DELETE', `/${id}`);
    const entries = await entriesOf(id);
    expect(entries).toMatchObject([
      { action: 'key.create', before: null, after: { ...settings, expiresAt: null } },
      {
        action: 'key.update',
        before: { name: 'audited', allowedModels: ['sandbox/*'] },
        after: { name: 'renamed', allowedModels: null },
      },
      { action: 'key.rotate', after: { graceSeconds: 60 } },
      { action: 'key.revoke', before: { name: 'renamed' } },
    ]);
    expect(entries[1]?.after).not.toHaveProperty('scopes');
    for (const entry of entries) {
      expect(entry).toMatchObject({ actor_id: fromApiId('usr', owner.userId), actor_key_id: null });
    }
    const text = JSON.stringify(entries);
    const hashes = await auth.database.query<{ key_hash: string }[]>('select key_hash from api_keys');
    for (const secret of [key, rotated.body.key, ...hashes.map((row) => row.key_hash)]) {
      expect(text).not.toContain(secret);
    }
  });

  it('name the key that did them', async () => {
    const actor = await auth.createKey(owner, { name: 'actor', scopes: ['keys:write'] });
    await auth.call('DELETE', `${KEYS}/${actor.id}`, { credential: actor.key });
    const [, revoked] = await entriesOf(actor.id);
    expect(revoked).toMatchObject({ action: 'key.revoke', actor_key_id: fromApiId('key', actor.id) });
  });

  it('leave no entry when nothing changed, and none when they were refused', async () => {
    const { id } = await auth.createKey(owner, { name: 'still' });
    await call('PATCH', `/${id}`, {});
    await call('PATCH', `/${id}`, { name: 'still', scopes: null });
    await call('PATCH', `/${id}`, { expiresAt: '2020-01-01T00:00:00Z' });
    await expect(entriesOf(id)).resolves.toHaveLength(1);
    await call('DELETE', `/${id}`);
    await call('DELETE', `/${id}`);
    await expect(entriesOf(id)).resolves.toHaveLength(2);
  });

  it('hand limits and budget on, and show them', async () => {
    const kept = new Map<string, object>();
    const committed: unknown[] = [];
    auth.app.get(KeyAllowanceHost).bind({
      set: (_ctx, keyId, allowances) => {
        kept.set(keyId, allowances);
        const isThere = auth.database.query('select 1 from api_keys where id = $1', [keyId]);
        return isThere.then((rows: unknown[]) => {
          committed.push(rows.length);
          return () => committed.push('committed');
        });
      },
      list: () => Promise.resolve(kept),
    });
    const created = await call('POST', '', { name: 'bounded', limits: LIMITS, budget: BUDGET });
    expect(created).toMatchObject({ status: 201, body: { limits: LIMITS, budget: BUDGET } });
    expect([...kept.keys()]).toEqual([fromApiId('key', String(created.body.id))]);
    expect(committed).toEqual([0, 'committed']);
    const listed = await auth.call('GET', `${KEYS}?limit=1`, { credential: owner.accessToken });
    expect(listed.body).toMatchObject({ data: [{ name: 'bounded', limits: LIMITS, budget: BUDGET }] });
    const [entry] = await entriesOf(String(created.body.id));
    expect(entry).toMatchObject({ after: { limits: LIMITS, budget: BUDGET } });
  });

  it('make no key whose limits or budget are refused', async () => {
    auth.app.get(KeyAllowanceHost).bind({
      set: () => Promise.reject(new ServiceUnavailableError('Not now')),
      list: () => Promise.resolve(new Map()),
    });
    const name = `refused ${newId()}`;
    const answer = await call('POST', '', { name, budget: BUDGET });
    expect(answer).toMatchObject({ status: 503, body: { error: { message: 'Not now' } } });
    await expect(auth.database.query('select 1 from api_keys where name = $1', [name])).resolves.toEqual([]);
    const entries: Entry[] = await auth.database.query(
      `select action from audit_entries where before->>'name' = $1 or after->>'name' = $1`,
      [name],
    );
    expect(entries).toEqual([]);
  });

  it('refuse limits and budgets where nobody keeps them', async () => {
    auth.app.get(KeyAllowanceHost).bind(undefined as never);
    const answer = await call('POST', '', { name: 'k', limits: LIMITS });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'VALIDATION_FAILED' } } });
  });
});
