import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { Test, type TestingModule } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { AgentRegistry, AgentsModule } from '../../../src/agents/index';
import { type AgentSettings } from '../../../src/agents/agents.repository';
import { AgentsService, MAX_AGENTS_PER_USER } from '../../../src/agents/agents.service';
import { newId, type RequestContext, toApiId } from '../../../src/common/index';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { DatabaseModule } from '../../../src/database/index';
import { ErrorsModule } from '../../../src/errors/index';
import { ObservabilityModule } from '../../../src/observability/index';
import { CredentialsService } from '../../../src/providers/credentials/credentials.service';
import { AuditModule } from '../../support/audit-module';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { aContext } from '../../support/factories';
import { anAgent } from '../../unit/agents/support';

const settings = (overrides: Partial<AgentSettings> = {}): AgentSettings => {
  const { type: _type, ...rest } = anAgent(overrides);
  return rest;
};

describe(AgentsModule.name, () => {
  let database: TestDatabase;
  let dir: string;
  let module: TestingModule;
  let agents: AgentsService;
  let registry: AgentRegistry;
  let ada: RequestContext;
  let bob: RequestContext;
  let admin: RequestContext;

  beforeAll(async () => {
    database = await createTestDatabase();
    dir = mkdtempSync(path.join(tmpdir(), 'lattice-agents-'));
    writeFileSync(path.join(dir, 'scripts.yaml'), 'xai: { command: [node] }\n');
    const config = loadConfig({
      DATA_DIR: dir,
      LATTICE_ENV: 'test',
      LATTICE_CONFIG_DIR: dir,
      LATTICE_SECRET_KEY: 'a-secret-for-tests-only-0123456789',
    });
    module = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(config),
        EventEmitterModule.forRoot(),
        ObservabilityModule,
        ErrorsModule,
        DatabaseModule.forRoot(database.url),
        AuditModule,
        AgentsModule,
      ],
    }).compile();
    await module.init();
    agents = module.get(AgentsService);
    registry = module.get(AgentRegistry);
  });

  beforeEach(async () => {
    [ada, bob, admin] = [await aUser(), await aUser(), await aUser('admin')];
  });

  afterAll(async () => {
    await module.close();
    await database.drop();
    rmSync(dir, { recursive: true });
  });

  async function aUser(role: 'operator' | 'admin' = 'operator'): Promise<RequestContext> {
    const userId = newId();
    await module
      .get(DataSource)
      .query(`insert into users (id, email, name, role, password_hash) values ($1, $2, 'Ada', $3, 'x')`, [
        userId,
        `${userId}@example.com`,
        role,
      ]);
    return aContext({ principal: { userId, role } });
  }

  const idOf = (agent: { readonly id: string | null }): string => toApiId('agt', agent.id ?? '');
  const NOT_FOUND = expect.objectContaining({ code: 'NOT_FOUND' });
  const CONFLICT = expect.objectContaining({ code: 'CONFLICT' });

  describe(AgentRegistry.name, () => {
    it('finds and lists what is built in and what is the caller’s own, by type', async () => {
      const made = await agents.create(ada, 'translator', settings());
      expect(await registry.find(ada, 'translator')).toEqual(made);
      expect((await registry.find(ada, 'coder'))?.id).toBeNull();
      expect(await registry.find(ada, 'nobody')).toBeUndefined();
      expect(await registry.find(ada, idOf(made))).toBeUndefined();
      const types = (await registry.list(ada)).map(({ type }) => type);
      expect(types).toEqual(types.toSorted());
      expect(types).toEqual(expect.arrayContaining(['coder', 'planner', 'translator']));
    });

    it('shows others nothing of it, administrators neither', async () => {
      await agents.create(ada, 'translator', settings());
      for (const other of [bob, admin]) {
        expect(await registry.find(other, 'translator')).toBeUndefined();
        expect((await registry.list(other)).map(({ type }) => type)).not.toContain('translator');
      }
    });

    it('leaves to its owner a type that became a built-in one', async () => {
      await module
        .get(DataSource)
        .query('insert into agents (id, user_id, type, definition) values ($1, $2, $3, $4)', [
          newId(),
          ada.principal.userId,
          'coder',
          JSON.stringify(settings({ description: 'Mine.' })),
        ]);
      expect((await registry.find(ada, 'coder'))?.description).toBe('Mine.');
      const listed = (await registry.list(ada)).filter(({ type }) => type === 'coder');
      expect(listed.map(({ description }) => description)).toEqual(['Mine.']);
      expect((await registry.find(bob, 'coder'))?.id).toBeNull();
    });

    it('asks the database once for a list, however many agents there are', async () => {
      for (let count = 0; count < 20; count += 1) await agents.create(ada, `agent-${count}`, settings());
      const query = jest.spyOn(module.get(DataSource), 'query');
      expect((await registry.list(ada)).length).toBeGreaterThan(20);
      expect(query).toHaveBeenCalledTimes(1);
      query.mockRestore();
    });

    it('knows who can answer: by script here, and with an own credential for its owner only', async () => {
      const [claude, scripted] = ['anthropic/claude-sonnet-5-5', 'xai/grok-4.6'];
      await agents.create(ada, 'by-script', settings({ mode: 'script', model: scripted }));
      await agents.create(ada, 'direct', settings({ mode: 'direct', model: scripted }));
      const mine = await agents.create(ada, 'mine', settings({ model: claude }));
      await agents.create(bob, 'mine', settings({ model: claude }));
      const isAvailable = async (ctx: RequestContext, type: string) =>
        (await registry.find(ctx, type))?.isAvailable;
      expect(await isAvailable(ada, 'by-script')).toBe(true);
      expect(await isAvailable(ada, 'direct')).toBe(false);
      expect(await isAvailable(ada, 'mine')).toBe(false);
      await module.get(CredentialsService).create(ada, {
        provider: 'anthropic',
        name: null,
        secret: { apiKey: 'an-example-key-that-nobody-knows' },
        isActive: true,
      });
      expect([await isAvailable(ada, 'mine'), await isAvailable(bob, 'mine')]).toEqual([true, false]);
      expect([await isAvailable(ada, 'claude'), await isAvailable(bob, 'claude')]).toEqual([true, false]);
      expect((await agents.get(admin, idOf(mine))).isAvailable).toBe(true);
      expect((await registry.find(bob, 'claude'))?.unavailableReason).toContain('ANTHROPIC_API_KEY');
    });
  });

  describe(AgentsService.name, () => {
    it('reaches an own agent by type and by id, and a foreign one not at all', async () => {
      const made = await agents.create(ada, 'translator', settings());
      expect(await agents.get(ada, 'translator')).toEqual(made);
      expect(await agents.get(ada, idOf(made))).toEqual(made);
      for (const name of ['translator', idOf(made), idOf({ id: newId() }), 'nonsense']) {
        await expect(agents.get(bob, name)).rejects.toEqual(NOT_FOUND);
        await expect(agents.update(bob, name, { description: 'x' })).rejects.toEqual(NOT_FOUND);
        await expect(agents.remove(bob, name)).rejects.toEqual(NOT_FOUND);
      }
      expect(await agents.get(ada, 'translator')).toEqual(made);
    });

    it('lets administrators reach those of all by id', async () => {
      const made = await agents.create(ada, 'translator', settings());
      expect(await agents.get(admin, idOf(made))).toEqual(made);
      await agents.update(admin, idOf(made), { description: 'Changed.' });
      expect((await agents.get(ada, 'translator')).description).toBe('Changed.');
      await agents.remove(admin, idOf(made));
      await expect(agents.get(ada, 'translator')).rejects.toEqual(NOT_FOUND);
    });

    it('changes what was sent and keeps the rest', async () => {
      const made = await agents.create(ada, 'translator', settings({ tools: ['current_time'] }));
      const changed = await agents.update(ada, 'translator', {
        description: 'New.',
        limits: { maxRounds: 2 },
      });
      expect(changed).toEqual({
        ...made,
        description: 'New.',
        limits: { ...made.limits, maxRounds: 2 },
        updatedAt: changed.updatedAt,
      });
      expect(await agents.get(ada, 'translator')).toEqual(changed);
    });

    it('keeps built-in agents as they are', async () => {
      await expect(agents.create(ada, 'coder', settings())).rejects.toEqual(CONFLICT);
      await expect(agents.update(admin, 'coder', { description: 'x' })).rejects.toEqual(CONFLICT);
      await expect(agents.remove(admin, 'coder')).rejects.toEqual(CONFLICT);
    });

    it('makes a type once per user, also when asked at the same time', async () => {
      const tries = Array.from({ length: 10 }, () => agents.create(ada, 'translator', settings()));
      const done = await Promise.allSettled(tries);
      expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const result of done) if (result.status === 'rejected') expect(result.reason).toEqual(CONFLICT);
      await agents.create(bob, 'translator', settings());
    });

    it('stops at a number of agents per user', async () => {
      await module.get(DataSource).query(
        `insert into agents (id, user_id, type, definition)
          select gen_random_uuid(), $1, 'agent-' || n, $2 from generate_series(1, $3::integer) n`,
        [ada.principal.userId, JSON.stringify(settings()), MAX_AGENTS_PER_USER - 1],
      );
      await agents.create(ada, 'last', settings());
      await expect(agents.create(ada, 'one-more', settings())).rejects.toEqual(CONFLICT);
    });

    it.each<[Partial<AgentSettings>, string]>([
      [{ model: 'gpt-5.9-nonsense' }, 'model'],
      [{ model: 'auto:good' }, 'model'],
      [{ model: 'openai/text-embedding-3-small' }, 'model'],
      [{ fallbackModels: ['gpt-6-luna', 'nonsense'] }, 'fallbackModels[1]'],
      [{ fallbackModels: ['auto'] }, 'fallbackModels[0]'],
      [{ prompt: '{{ task.titel }}' }, 'prompt'],
      [{ tools: ['no_such_tool'] }, 'tools'],
    ])('refuses %j, made or changed', async (wrong, param) => {
      const refused = expect.objectContaining({ code: 'VALIDATION_FAILED', param });
      await expect(agents.create(ada, 'wrong', settings(wrong))).rejects.toEqual(refused);
      await agents.create(ada, 'right', settings());
      await expect(agents.update(ada, 'right', wrong)).rejects.toEqual(refused);
    });

    it('takes models of a local server by their name, since they are found while it runs', async () => {
      const made = await agents.create(ada, 'local', settings({ model: 'local/llama-any' }));
      expect(made).toMatchObject({
        isAvailable: false,
        unavailableReason: expect.stringContaining('is not known'),
      });
    });

    it('is changed otherwise, too, when one of its tools is away', async () => {
      await module
        .get(DataSource)
        .query('insert into agents (id, user_id, type, definition) values ($1, $2, $3, $4)', [
          newId(),
          ada.principal.userId,
          'old',
          JSON.stringify(settings({ tools: ['gone'] })),
        ]);
      expect((await agents.update(ada, 'old', { description: 'New.' })).tools).toEqual(['gone']);
    });

    it('writes every change into the audit log, without prompts', async () => {
      const made = await agents.create(ada, 'translator', settings({ prompt: 'Never to be logged.' }));
      await agents.update(ada, 'translator', { prompt: 'Never to be logged, either.' });
      await agents.remove(ada, 'translator');
      const rows = await module
        .get(DataSource)
        .query<{ action: string }[]>('select * from audit_entries where resource_id = $1 order by id', [
          idOf(made),
        ]);
      expect(rows.map(({ action }) => action)).toEqual(['agent.create', 'agent.update', 'agent.delete']);
      expect(JSON.stringify(rows)).not.toContain('Never to be logged');
    });
  });
});
