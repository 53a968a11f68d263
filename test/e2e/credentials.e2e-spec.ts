import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { type Account, type Answer, clientOf, type TestApp, testEnv } from '../support/app';
import { createTestDatabase, type TestDatabase } from '../support/database/test-database';
import { ServiceProcess } from '../support/service-process';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const ROUTE = '/api/v1/credentials';
const INSTALLATION_KEY = 'installation-key-that-is-not-theirs';
const MODEL = 'openai/gpt-5.4-mini';
const AZURE = 'azure/gpt-5.4-mini';

interface Credential {
  readonly id: string;
  readonly hint: string | null;
  readonly state: string;
}
type Failure = { error: { code: string; message: string; param?: string } };

describe('credentials', () => {
  let database: TestDatabase;
  let truth: TruthProvider;
  let service: ServiceProcess;
  let dataDir: string;
  let client: Pick<TestApp, 'call' | 'register'>;
  let admin: Account;
  let ada: Account;
  let bob: Account;
  /** All that any route has answered. */
  const answered: string[] = [];
  /** Every secret that was sent; none of them may ever come back. */
  const secrets: string[] = [];

  beforeAll(async () => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-credentials-'));
    [database, truth] = await Promise.all([createTestDatabase(), startTruthProvider()]);
    service = new ServiceProcess(
      testEnv(dataDir, {
        DATABASE_URL: database.url,
        LOG_LEVEL: 'debug',
        OPENAI_API_KEY: INSTALLATION_KEY,
        OPENAI_BASE_URL: truth.url,
        AZURE_OPENAI_ENDPOINT: truth.url,
      }),
    );
    client = clientOf(await service.url());
    [admin, ada, bob] = [await client.register(), await client.register(), await client.register()];
  });

  afterEach(async () => {
    await truth.clearScripts();
    const left = await client.call<{ data: Credential[] }>('GET', `${ROUTE}?limit=200`, {
      credential: admin.accessToken,
    });
    for (const { id } of left.body.data) await remove(admin, id);
  });

  afterAll(async () => {
    await service.destroy();
    await truth.stop();
    await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function call<T = Record<string, unknown>>(
    method: string,
    route: string,
    options: Parameters<TestApp['call']>[2],
  ): Promise<Answer<T>> {
    const answer = await client.call<T>(method, route, options);
    answered.push(answer.text, JSON.stringify([...answer.headers]));
    return answer;
  }

  let made = 0;
  function newKey(): string {
    made += 1;
    const key = `own-key.number-${made}-wxyz${String(made).padStart(4, '0')}`;
    secrets.push(key);
    return key;
  }

  async function create(who: Account, more: object = {}): Promise<{ id: string; apiKey: string }> {
    const apiKey = newKey();
    const body = { provider: 'openai', apiKey, ...more };
    const answer = await call<Credential>('POST', ROUTE, { body, credential: who.accessToken });
    expect(answer.status).toBe(201);
    return { id: answer.body.id, apiKey };
  }

  const remove = (who: Account, id: string) =>
    call('DELETE', `${ROUTE}/${id}`, { credential: who.accessToken });

  /** The header of the credential that the provider saw with the last call. */
  async function sentFor(who: Account, model = MODEL, more: object = {}): Promise<string | undefined> {
    const before = (await truth.attempts()).length;
    const answer = await call('POST', '/v1/chat/completions', {
      body: { model, messages: [{ role: 'user', content: 'Hello' }], ...more },
      credential: who.key,
    });
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
    const headers = (await truth.endedAttempts(before + 1))[before]?.headers;
    return headers?.authorization?.replace('Bearer ', '') ?? headers?.['api-key'];
  }

  it('are sent in the place of the installation’s for their owner, and for nobody else', async () => {
    const { id, apiKey } = await create(ada);
    expect(await sentFor(ada)).toBe(apiKey);
    expect(await sentFor(ada, MODEL, { stream: true })).toBe(apiKey);
    expect(await sentFor(bob)).toBe(INSTALLATION_KEY);
    expect(await sentFor(admin)).toBe(INSTALLATION_KEY);
    const bobs = await create(bob);
    expect(await sentFor(bob)).toBe(bobs.apiKey);
    expect(await sentFor(ada)).toBe(apiKey);
    for (const [who, own] of [
      [ada, id],
      [bob, bobs.id],
    ] as const)
      expect((await remove(who, own)).status).toBe(204);
  });

  it('are not sent any more once their change or deletion is answered', async () => {
    const { id, apiKey } = await create(ada);
    expect(await sentFor(ada)).toBe(apiKey);
    const other = newKey();
    const patch = (body: object) => call('PATCH', `${ROUTE}/${id}`, { body, credential: ada.accessToken });
    expect((await patch({ apiKey: other })).status).toBe(200);
    expect(await sentFor(ada)).toBe(other);
    await patch({ isActive: false });
    expect(await sentFor(ada)).toBe(INSTALLATION_KEY);
    await patch({ isActive: true });
    expect(await sentFor(ada)).toBe(other);
    await remove(ada, id);
    expect(await sentFor(ada)).toBe(INSTALLATION_KEY);
    const sent = (await truth.attempts()).map(({ headers }) => headers.authorization);
    expect(sent.lastIndexOf(`Bearer ${other}`)).toBeLessThan(sent.length - 1);
  });

  it('make a provider without a key of the installation available to their owner only', async () => {
    const { id, apiKey } = await create(ada, { provider: 'azure' });
    expect(await sentFor(ada, AZURE)).toBe(apiKey);
    const ids = async (who: Account) =>
      (await call<{ data: { id: string }[] }>('GET', '/v1/models', { credential: who.key })).body.data.map(
        (model) => model.id,
      );
    expect(await ids(ada)).toContain(AZURE);
    expect(await ids(bob)).not.toContain(AZURE);
    const refused = await call<Failure>('POST', '/v1/chat/completions', {
      body: { model: AZURE, messages: [{ role: 'user', content: 'Hello' }], lattice: { fallback: 'none' } },
      credential: bob.key,
    });
    expect(refused.status).toBeGreaterThanOrEqual(500);
    expect(refused.body.error.message).toContain('AZURE_OPENAI_API_KEY');
    const explained = await call<{ model: string }>('POST', '/api/v1/route', {
      body: { model: AZURE, messages: [{ role: 'user', content: 'Hello' }] },
      credential: ada.key,
    });
    expect(explained.body.model).toBe(AZURE);
    const azureOf = async (who: Account) =>
      (
        await call<{ data: { provider: string; state: string }[] }>('GET', '/api/v1/providers', {
          credential: who.key,
        })
      ).body.data.find(({ provider }) => provider === 'azure')?.state;
    expect([await azureOf(ada), await azureOf(bob)]).toEqual(['available', 'unavailable']);
    await remove(ada, id);
    expect(await ids(ada)).not.toContain(AZURE);
  });

  it.each([401, 402])('are not replaced by anything when the provider refuses them (%i)', async (status) => {
    const { id, apiKey } = await create(ada);
    await truth.script({ fault: { kind: 'status', status } });
    const before = (await truth.attempts()).length;
    const answer = await call<Failure>('POST', '/v1/chat/completions', {
      body: {
        model: MODEL,
        messages: [{ role: 'user', content: 'Hello' }],
        lattice: { fallback: 'any' },
      },
      credential: ada.key,
    });
    expect(answer).toMatchObject({ status: 422, body: { error: { code: 'CREDENTIAL_REJECTED' } } });
    expect(answer.body.error.message).toContain(`PATCH /api/v1/credentials/${id}`);
    const sent = (await truth.endedAttempts(before + 1)).slice(before);
    expect(sent.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${apiKey}`]);
    expect(await sentFor(bob)).toBe(INSTALLATION_KEY);
    const other = newKey();
    const patched = await call('PATCH', `${ROUTE}/${id}`, {
      body: { apiKey: other },
      credential: ada.accessToken,
    });
    expect(patched.status).toBe(200);
    expect(await sentFor(ada)).toBe(other);
  });

  it('stand in the decision as what could be called, so that it replays', async () => {
    const { id } = await create(ada, { provider: 'azure' });
    const answer = await call('POST', '/v1/chat/completions', {
      body: { model: AZURE, messages: [{ role: 'user', content: 'Hello' }] },
      credential: ada.key,
    });
    const decision = await call<{ decision: { providers: string[] } }>(
      'GET',
      `/api/v1/decisions/${answer.headers.get('x-lattice-decision-id')}`,
      { credential: ada.key },
    );
    expect(decision.body.decision.providers).toEqual(expect.arrayContaining(['openai', 'azure']));
    await remove(ada, id);
  });

  it('show their provider, name and the end of a long key, and nothing else of it', async () => {
    const { id, apiKey } = await create(ada, { name: 'my team' });
    const shown = await call('GET', `${ROUTE}/${id}`, { credential: ada.accessToken });
    expect(shown.body).toEqual({
      id,
      userId: ada.userId,
      provider: 'openai',
      name: 'my team',
      hint: apiKey.slice(-4),
      state: 'ready',
      isActive: true,
      createdAt: expect.any(String) as string,
      updatedAt: expect.any(String) as string,
      lastUsedAt: null,
    });
    const others = await call('GET', `${ROUTE}/${id}`, { credential: admin.accessToken });
    expect(others.body).toMatchObject({ id, hint: null });
    expect((await call('GET', `${ROUTE}/${id}`, { credential: bob.accessToken })).status).toBe(404);
    await remove(ada, id);
  });

  it('are listed page by page, by provider, and to others not at all', async () => {
    const ids = [];
    for (const provider of ['openai', 'xai', 'google']) ids.unshift((await create(ada, { provider })).id);
    type Page = { data: Credential[]; nextCursor: string | null };
    const list = (query: string, who = ada) =>
      call<Page>('GET', `${ROUTE}?${query}`, { credential: who.accessToken });
    const first = (await list('limit=2')).body;
    expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const second = (await list(`limit=2&cursor=${first.nextCursor}`)).body;
    expect([second.data.map(({ id }) => id), second.nextCursor]).toEqual([ids.slice(2), null]);
    expect((await list('provider=xai')).body.data.map(({ id }) => id)).toEqual([ids[1]]);
    expect((await list('', bob)).body.data).toEqual([]);
    expect((await list(`cursor=${first.nextCursor}`, bob)).status).toBe(400);
    expect((await list('provider=sandbox')).status).toBe(400);
    for (const id of ids) await remove(ada, id);
  });

  it.each([
    [{ provider: 'openai' }, 'apiKey'],
    [{ provider: 'openai', apiKey: 'short' }, 'apiKey'],
    [{ provider: 'openai', apiKey: 'a key with blanks' }, 'apiKey'],
    [{ provider: 'openai', apiKey: 'line-break\r\nx-injected: 1' }, 'apiKey'],
    [{ provider: 'openai', apiKey: null }, 'apiKey'],
    [{ provider: 'openai', apiKey: 'valid-key-0', baseUrl: 'https://evil.test' }, 'baseUrl'],
    [{ provider: 'local', apiKey: 'valid-key-0' }, 'provider'],
    [{ provider: 'sandbox', apiKey: 'valid-key-0' }, 'provider'],
    [{ provider: 'bedrock', apiKey: 'valid-key-0' }, 'apiKey'],
    [{ provider: 'bedrock' }, 'aws'],
    [{ provider: 'bedrock', aws: { region: 'eu-central-1' } }, 'aws.accessKeyId'],
    [{ provider: 'bedrock', aws: { apiKey: 'short', region: 'eu-central-1' } }, 'aws.apiKey'],
    [{ provider: 'bedrock', aws: { apiKey: 'valid-key-0' } }, 'aws.region'],
    [{ provider: 'bedrock', aws: aws({ apiKey: 'valid-key-0' }) }, 'aws.apiKey'],
    [{ provider: 'openai', aws: aws() }, 'aws'],
    [{ provider: 'bedrock', aws: aws({ region: 'x.evil.test/' }) }, 'aws.region'],
    [{ provider: 'bedrock', aws: aws({ region: 'evil.test#' }) }, 'aws.region'],
    [{ provider: 'bedrock', aws: aws({ endpoint: 'https://evil.test' }) }, 'aws.endpoint'],
  ])('refuse %j', async (body, param) => {
    const answer = await call<Failure>('POST', ROUTE, { body, credential: ada.accessToken });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'VALIDATION_FAILED', param } } });
  });

  it('are an API key and its region, too, for bedrock', async () => {
    const aws = { apiKey: newKey(), region: 'eu-central-1' };
    const { id } = await create(ada, { provider: 'bedrock', apiKey: undefined, aws });
    const { body } = await call('GET', `${ROUTE}/${id}`, { credential: ada.accessToken });
    expect(body).toMatchObject({ state: 'ready', hint: aws.apiKey.slice(-4) });
    await remove(ada, id);
  });

  it('need an address of the installation where a provider has none of its own', async () => {
    const body = { provider: 'dial', apiKey: newKey() };
    const answer = await call<Failure>('POST', ROUTE, { body, credential: ada.accessToken });
    expect(answer).toMatchObject({ status: 409, body: { error: { code: 'CONFLICT', param: 'provider' } } });
  });

  it('are changed with an API key only when that names the scope', async () => {
    const body = { provider: 'xai', apiKey: newKey() };
    const plain = await call<Failure>('POST', ROUTE, { body, credential: ada.key });
    expect(plain).toMatchObject({ status: 403, body: { error: { code: 'KEY_SCOPE_MISSING' } } });
    const scoped = await client.call<{ key: string }>('POST', '/api/v1/keys', {
      body: { name: 'k', scopes: ['credentials:write'] },
      credential: ada.accessToken,
    });
    const created = await call<Credential & { userId: string }>('POST', ROUTE, {
      body,
      credential: scoped.body.key,
    });
    expect([created.status, created.body.userId]).toEqual([201, ada.userId]);
    await remove(ada, created.body.id);
  });

  describe('verify', () => {
    const verify = async (id: string, who = ada) =>
      (await call<{ result: string }>('POST', `${ROUTE}/${id}/verify`, { credential: who.accessToken })).body
        .result;

    it('asks for the models, without a billable call', async () => {
      const { id } = await create(ada);
      const before = (await truth.attempts()).length;
      expect(await verify(id)).toBe('ok');
      expect(await truth.attempts()).toHaveLength(before);
      await remove(ada, id);
    });

    it('is for the owner only', async () => {
      const { id } = await create(ada);
      for (const who of [bob, admin]) {
        const answer = await call('POST', `${ROUTE}/${id}/verify`, { credential: who.accessToken });
        expect(answer.status).toBe(404);
      }
      await remove(ada, id);
    });
  });

  it('come back in no error, even when the provider repeats them', async () => {
    const { id, apiKey } = await create(ada);
    for (const stream of [false, true]) {
      await truth.script({
        fault: {
          kind: 'status',
          status: 401,
          body: { error: { message: `Wrong key: ${apiKey}, and ${apiKey}!` } },
        },
      });
      const answer = await call<Failure>('POST', '/v1/chat/completions', {
        body: {
          model: MODEL,
          messages: [{ role: 'user', content: 'Hello' }],
          stream,
          lattice: { fallback: 'none' },
        },
        credential: ada.key,
      });
      expect(answer).toMatchObject({ status: 422, body: { error: { code: 'CREDENTIAL_REJECTED' } } });
      expect(answer.body.error.message).toContain('Wrong key: [redacted]');
    }
    await remove(ada, id);
  });

  it('stand in no answer, no log line and no row of the database, of this test and all before it', async () => {
    const { id, apiKey } = await create(ada);
    expect(await sentFor(ada)).toBe(apiKey);
    const body = { apiKey: newKey(), name: 'renamed' };
    expect((await call('PATCH', `${ROUTE}/${id}`, { body, credential: ada.accessToken })).status).toBe(200);
    const broken = `{"provider":"openai","apiKey":"${newKey()}"`;
    expect((await call('POST', ROUTE, { body: broken, credential: ada.accessToken })).status).toBe(400);
    const misnamed = { provider: 'openai', apikey: newKey() };
    expect((await call('POST', ROUTE, { body: misnamed, credential: ada.accessToken })).status).toBe(400);
    await call('POST', `${ROUTE}/${id}/verify`, { credential: ada.accessToken });
    await remove(ada, id);
    const places = [...answered, service.output, ...(await everyRow(database.url))];
    expect(service.output).toContain('llm_call');
    expect(places.join('\n')).toContain('credential.create');
    for (const secret of secrets) {
      for (const form of [
        secret,
        Buffer.from(secret).toString('hex'),
        Buffer.from(secret).toString('base64'),
      ]) {
        expect(places.filter((place) => place.includes(form)).map((place) => place.slice(0, 200))).toEqual(
          [],
        );
      }
    }
  });
});

function aws(more: object = {}): object {
  const keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret-of-anybody' };
  return { ...keys, region: 'eu-central-1', ...more };
}

/** Every row of every table as text, bytes as hexadecimal digits. */
async function everyRow(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select quote_ident(table_name) as name from information_schema.tables
        where table_schema = 'public' and table_type = 'BASE TABLE'`,
    );
    const texts: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t`);
      texts.push(...rows.map(({ row }) => row));
    }
    return texts;
  } finally {
    await client.end();
  }
}
