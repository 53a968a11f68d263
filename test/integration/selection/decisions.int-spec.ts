import { DataSource } from 'typeorm';
import { newId, type RequestContext, toApiId } from '../../../src/common/index';
import { NotFoundError } from '../../../src/errors/index';
import { DecisionsRepository } from '../../../src/selection/decisions.repository';
import { DecisionsService } from '../../../src/selection/decisions.service';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { aContext } from '../../support/factories';

describe(DecisionsService.name, () => {
  let database: TestDatabase;
  let source: DataSource;
  let decisions: DecisionsService;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    decisions = new DecisionsService(new DecisionsRepository(source));
  });

  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  async function aDecision(userId: string): Promise<{ id: string; requestId: string }> {
    const [id, requestId] = [newId(), newId()];
    await source.query(
      'insert into decisions (id, request_id, user_id, created_at, record) values ($1, $2, $3, $4, $5)',
      [id, requestId, userId, new Date('2026-11-20T10:15:00Z'), { strategy: 'auto' }],
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
      createdAt: '2026-11-20T10:15:00.000Z',
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
});
