import { DataSource } from 'typeorm';
import { Cursors } from '../../../src/auth/index';
import { type JsonObject, newId, type RequestContext, toApiId } from '../../../src/common/index';
import { loadConfig } from '../../../src/config/index';
import { NotFoundError } from '../../../src/errors/index';
import { DecisionsRepository } from '../../../src/selection/decisions/decisions.repository';
import { DecisionsService } from '../../../src/selection/decisions/decisions.service';
import { testEnv } from '../../support/app';
import type { ListDecisionsQueryDto } from '../../../src/selection/dto/list-decisions.query.dto';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { aContext } from '../../support/factories';

describe(DecisionsService.name, () => {
  let database: TestDatabase;
  let source: DataSource;
  let decisions: DecisionsService;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    decisions = new DecisionsService(
      new DecisionsRepository(source),
      new Cursors(loadConfig(testEnv('/nonexistent'))),
    );
  });

  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  async function aDecision(
    userId: string,
    record: JsonObject = { strategy: 'auto' },
    at = new Date('2026-11-20T10:15:00Z'),
  ): Promise<{ id: string; requestId: string }> {
    const [id, requestId] = [newId(at.getTime()), newId()];
    await source.query(
      'insert into decisions (id, request_id, user_id, created_at, record) values ($1, $2, $3, $4, $5)',
      [id, requestId, userId, at, record],
    );
    return { id: toApiId('dec', id), requestId: toApiId('req', requestId) };
  }

  const asUser = (userId: string, role: RequestContext['principal']['role'] = 'operator'): RequestContext =>
    aContext({ principal: { userId, role } });

  it('shows the caller their own', async () => {
    const userId = newId();
    const { id, requestId } = await aDecision(userId);
    await expect(decisions.get(asUser(userId), id)).resolves.toEqual({
      id,
      requestId,
      userId: toApiId('usr', userId),
      createdAt: '2026-11-20T10:15:00.000Z',
      model: null,
      decision: { strategy: 'auto' },
    });
  });

  it('shows administrators all', async () => {
    const { id } = await aDecision(newId());
    await expect(decisions.get(asUser(newId(), 'admin'), id)).resolves.toMatchObject({ id });
  });

  it('does not tell foreign ones from missing ones', async () => {
    const { id } = await aDecision(newId());
    const caller = asUser(newId());
    const answers = [id, toApiId('dec', newId()), id.replace('dec_', 'req_'), "dec_' or true --"].map(
      (asked) => decisions.get(caller, asked).catch((error: unknown) => error),
    );
    for (const error of await Promise.all(answers)) {
      expect(error).toBeInstanceOf(NotFoundError);
      expect(error).toHaveProperty('message', 'There is no such decision.');
    }
  });

  describe('list', () => {
    const record = (model: string, type: string, strategy = 'auto'): JsonObject => ({
      strategy,
      task: { type },
      candidates: [{ model }, { model: 'openai/fallback' }],
    });
    const query = (given: Partial<ListDecisionsQueryDto> = {}): ListDecisionsQueryDto => ({
      limit: 50,
      ...given,
    });
    const day = (date: number) => new Date(Date.UTC(2026, 10, date));
    let userId: string;
    let ids: string[];

    beforeAll(async () => {
      userId = newId();
      const made = [
        await aDecision(userId, record('openai/a', 'MATH'), day(1)),
        await aDecision(userId, record('openai/b', 'MATH', 'cheap'), day(2)),
        await aDecision(userId, record('openai/a', 'GENERAL', 'pinned'), day(3)),
      ];
      ids = made.map(({ id }) => id);
      await aDecision(newId(), record('openai/a', 'MATH'), day(2));
    });

    const listed = async (given: Partial<ListDecisionsQueryDto>, ctx = asUser(userId)) =>
      (await decisions.list(ctx, query(given))).data.map(({ id }) => ids.indexOf(id));

    it('shows one’s own, newest first, page by page', async () => {
      const first = await decisions.list(asUser(userId), query({ limit: 2 }));
      expect(first.data.map(({ id, model }) => [ids.indexOf(id), model])).toEqual([
        [2, 'openai/a'],
        [1, 'openai/b'],
      ]);
      const cursor = first.nextCursor ?? '';
      const second = await decisions.list(asUser(userId), query({ limit: 2, cursor }));
      expect([second.data.map(({ id }) => ids.indexOf(id)), second.nextCursor]).toEqual([[0], null]);
    });

    it.each<[Partial<ListDecisionsQueryDto>, number[]]>([
      [{ model: 'openai/a' }, [2, 0]],
      [{ model: 'openai/fallback' }, []],
      [{ taskType: 'MATH' }, [1, 0]],
      [{ strategy: 'pinned' }, [2]],
      [{ from: day(2).toISOString() }, [2, 1]],
      [{ to: day(2).toISOString() }, [0]],
      [{ from: day(2).toISOString(), to: day(3).toISOString(), taskType: 'MATH' }, [1]],
    ])('filters by %j', async (given, expected) => {
      expect(await listed(given)).toEqual(expected);
    });

    it('shows administrators everybody’s, or those of one user', async () => {
      const admin = asUser(newId(), 'admin');
      expect(
        (await decisions.list(admin, query({ from: day(1).toISOString() }))).data.length,
      ).toBeGreaterThan(3);
      expect(await listed({ userId: toApiId('usr', userId) }, admin)).toEqual([2, 1, 0]);
    });

    it('refuses another’s, and times the wrong way round', async () => {
      const other = query({ userId: toApiId('usr', newId()) });
      await expect(decisions.list(asUser(userId), other)).rejects.toMatchObject({ status: 403 });
      const turned = query({ from: day(3).toISOString(), to: day(1).toISOString() });
      await expect(decisions.list(asUser(userId), turned)).rejects.toMatchObject({ status: 400 });
    });
  });
});
