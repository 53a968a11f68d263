import type { RequestContext } from '../../../../src/common/index';
import type { AppConfig } from '../../../../src/config/index';
import type { ResponsesRequest } from '../../../../src/gateway/responses/request';
import type { BackgroundTasks } from '../../../../src/observability/index';
import type { StoredResponsesRepository } from '../../../../src/gateway/responses/stored-responses.repository';
import { StoredResponses } from '../../../../src/gateway/responses/stored-responses.service';

const ctx = {
  requestId: '0192f0c1-a2b3-7c4d-8e5f-60718293a4b5',
  principal: { userId: 'u' },
} as RequestContext;
const config = { vars: { BODY_LIMIT_BYTES: 1000 } } as AppConfig;
const response = { id: 'resp_1', output: [] };

type Create = StoredResponsesRepository['create'];

function keeping(create: Create) {
  const behind: Promise<void>[] = [];
  const background = {
    run: (
      _name: string,
      work: BackgroundTasks['run'] extends (name: string, work: infer W) => void ? W : never,
    ) => void behind.push(work(new AbortController().signal)),
  };
  const remove = jest.fn(() => Promise.resolve(true));
  const responses = { create, remove } as unknown as StoredResponsesRepository;
  const service = new StoredResponses(responses, config, background as unknown as BackgroundTasks);
  const keep = (isStored = true) =>
    service.keep(ctx, { input: [], isStored } as unknown as ResponsesRequest, response);
  return { keep, remove, behind };
}

describe(StoredResponses, () => {
  afterEach(() => jest.useRealTimers());

  it('has nothing to say of what was kept, or was not to be kept', async () => {
    const create = jest.fn(() => Promise.resolve(true));
    const { keep, behind } = keeping(create);
    expect(await keep()).toBeUndefined();
    expect(create).toHaveBeenCalledTimes(1);
    expect(await keep(false)).toBeUndefined();
    expect(create).toHaveBeenCalledTimes(1);
    expect(behind).toEqual([]);
  });

  describe('when the database is too slow', () => {
    async function tooLate() {
      jest.useFakeTimers();
      const created = Promise.withResolvers<boolean>();
      const { keep, ...rest } = keeping(() => created.promise);
      const said = keep();
      await jest.advanceTimersByTimeAsync(2000);
      return { created, said: await said, ...rest };
    }

    it('lets no answer wait for it, and forgets what it takes after all', async () => {
      const { created, said, remove, behind } = await tooLate();
      expect(said).toContain('not stored in time');
      expect(remove).not.toHaveBeenCalled();
      created.resolve(true);
      await Promise.all(behind);
      expect(remove).toHaveBeenCalledWith(ctx.requestId, ctx.principal);
    });

    it('has nothing to forget of what it did not take', async () => {
      const { created, remove, behind } = await tooLate();
      created.resolve(false);
      await Promise.all(behind);
      expect(remove).not.toHaveBeenCalled();
    });
  });
});
