import type { AppLogger } from '../../../src/observability/index';
import type { IdempotencyKeysRepository } from '../../../src/idempotency/idempotency-keys.repository';
import type { IdempotencyOptions } from '../../../src/idempotency/index';
import { type Claim, RunningClaims } from '../../../src/idempotency/running-claims.service';

const ANSWER = { status: 200, headers: {}, body: Buffer.from('x') };
const CLAIM = { id: '1', request: { owner: 'u', key: 'k' } } as Claim;
const away = () => Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });

function running() {
  const keys = { store: jest.fn(), release: jest.fn(), renew: jest.fn() };
  const logger = { error: jest.fn() };
  const claims = new RunningClaims(
    keys as unknown as IdempotencyKeysRepository,
    { leaseMs: 40 } as IdempotencyOptions,
    logger as unknown as AppLogger,
  );
  return { keys, logger, claims };
}

describe(RunningClaims.name, () => {
  it('stores an answer, and frees the key where there is none', async () => {
    const { keys, claims } = running();
    await claims.end(CLAIM, ANSWER);
    expect(keys.store).toHaveBeenCalledWith(CLAIM.request, '1', ANSWER);
    await claims.end(CLAIM, undefined);
    expect(keys.release).toHaveBeenCalledWith(CLAIM.request, '1');
  });

  it('tries again while PostgreSQL is away', async () => {
    const { keys, logger, claims } = running();
    keys.store.mockRejectedValueOnce(away());
    await claims.end(CLAIM, ANSWER);
    expect([keys.store.mock.calls.length, logger.error.mock.calls]).toEqual([2, []]);
  });

  it('lets the answer go out when PostgreSQL stays away', async () => {
    const { keys, claims } = running();
    keys.store.mockReturnValue(new Promise(() => undefined));
    await expect(claims.end(CLAIM, ANSWER)).resolves.toBeUndefined();
  });

  it('gives up at once on any other failure, and says so', async () => {
    const { keys, logger, claims } = running();
    keys.store.mockRejectedValue(new Error('no such column'));
    await claims.end(CLAIM, ANSWER);
    expect([keys.store.mock.calls.length, logger.error.mock.calls.length]).toEqual([1, 1]);
  });

  it('renews the leases of what runs, and of nothing else', async () => {
    const { keys, claims } = running();
    const renewed = new Promise<readonly string[]>((resolve) => keys.renew.mockImplementation(resolve));
    claims.add({ ...CLAIM, id: 'ended' });
    await claims.end({ ...CLAIM, id: 'ended' }, ANSWER);
    claims.add(CLAIM);
    claims.onApplicationBootstrap();
    expect(await renewed).toEqual(['1']);
    await claims.onApplicationShutdown();
  });
});
