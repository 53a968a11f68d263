import type { RequestContext } from '../../../../src/common/index';
import type { AppConfig } from '../../../../src/config/index';
import type { ResponsesRequest } from '../../../../src/gateway/responses/request';
import type { StoredResponsesRepository } from '../../../../src/gateway/responses/stored-responses.repository';
import { StoredResponses } from '../../../../src/gateway/responses/stored-responses.service';

const ctx = {
  requestId: '0192f0c1-a2b3-7c4d-8e5f-60718293a4b5',
  principal: { userId: 'u' },
} as RequestContext;
const config = { vars: { BODY_LIMIT_BYTES: 1000 } } as AppConfig;
const response = { id: 'resp_1', output: [] };

const keepWith = (
  create: StoredResponsesRepository['create'],
  isStored = true,
): Promise<string | undefined> => {
  const service = new StoredResponses({ create } as StoredResponsesRepository, config);
  return service.keep(ctx, { input: [], isStored } as unknown as ResponsesRequest, response);
};

describe(StoredResponses, () => {
  it('has nothing to say of what was kept, or was not to be kept', async () => {
    const create = jest.fn(() => Promise.resolve(true));
    expect(await keepWith(create)).toBeUndefined();
    expect(create).toHaveBeenCalledTimes(1);
    expect(await keepWith(create, false)).toBeUndefined();
    expect(create).toHaveBeenCalledTimes(1);
  });

  it('lets no answer wait for a database that hangs', async () => {
    expect(await keepWith(() => new Promise(() => undefined))).toContain('not stored in time');
  });
});
