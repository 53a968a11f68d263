import type { AnswerBells } from '../../../src/idempotency/answer-bells.service';
import { Claims } from '../../../src/idempotency/claims.service';
import type {
  IdempotencyKeysRepository,
  KeyState,
} from '../../../src/idempotency/idempotency-keys.repository';
import type { IdempotencyOptions } from '../../../src/idempotency/index';
import type { KeyedRequest } from '../../../src/idempotency/keyed-request';
import type { RunningClaims } from '../../../src/idempotency/running-claims.service';
import { RateLimitedError, ServiceUnavailableError } from '../../../src/errors/index';
import { eventually } from '../../support/eventually';

const RUNNING = { is: 'running', claimId: 'c', isLeased: true, isAwaited: true } as const;
const ANSWER = { status: 200, headers: {}, body: Buffer.from('x') };

function requestOf(owner: string): KeyedRequest {
  return {
    owner,
    key: 'k',
    isPublic: false,
    fingerprints: [{ keyId: 'now', digest: Buffer.from('same') }],
  };
}

describe(Claims.name, () => {
  const keys = { claim: jest.fn(), look: jest.fn(), answerOf: jest.fn(), await: jest.fn() };
  const add = jest.fn();
  const wakes: (() => void)[] = [];
  const stop = jest.fn();
  const bells = {
    listen: () => ({ wait: () => new Promise<void>((resolve) => wakes.push(resolve)), stop }),
  };
  const options = { waitMs: 60_000, pollMs: 60_000, maxWaiters: 2 };
  let claims: Claims;

  const is = (state: KeyState) => keys.look.mockResolvedValue(state);
  const take = (beforeReplay?: () => Promise<void>, owner = 'o') =>
    claims.take(requestOf(owner), new AbortController().signal, beforeReplay);

  beforeEach(() => {
    jest.resetAllMocks();
    wakes.length = 0;
    keys.claim.mockResolvedValue(false);
    keys.await.mockResolvedValue(true);
    keys.answerOf.mockResolvedValue(ANSWER);
    claims = new Claims(
      keys as unknown as IdempotencyKeysRepository,
      { add } as unknown as RunningClaims,
      bells as unknown as AnswerBells,
      options as unknown as IdempotencyOptions,
    );
  });

  it('counts no first execution', async () => {
    keys.claim.mockResolvedValue(true);
    const count = jest.fn();
    expect(await take(count)).toMatchObject({ claim: { request: { owner: 'o' } } });
    expect([count.mock.calls, add.mock.calls.length]).toEqual([[], 1]);
  });

  it('counts a replay once, before the answer is read', async () => {
    is({ is: 'answered', claimId: 'c' });
    const count = jest.fn(async () => expect(keys.answerOf).not.toHaveBeenCalled());
    expect(await take(count)).toEqual({ answer: ANSWER });
    expect([count.mock.calls.length, keys.answerOf.mock.calls.length]).toEqual([1, 1]);
  });

  it('reads nothing for one that is refused', async () => {
    is({ is: 'answered', claimId: 'c' });
    const refusal = new RateLimitedError('reached');
    await expect(take(() => Promise.reject(refusal))).rejects.toBe(refusal);
    expect(keys.answerOf).not.toHaveBeenCalled();
  });

  it('counts a duplicate that waited, when it gets its answer', async () => {
    is(RUNNING);
    const count = jest.fn();
    const waiting = take(count);
    await eventually(async () => (wakes.length === 1 ? true : undefined));
    expect(count).not.toHaveBeenCalled();
    is({ is: 'answered', claimId: 'c' });
    wakes[0]?.();
    expect(await waiting).toEqual({ answer: ANSWER });
    expect(count).toHaveBeenCalledTimes(1);
  });

  it('looks without writing while another one runs', async () => {
    is({ ...RUNNING, isAwaited: false });
    const waiting = take();
    await eventually(async () => (wakes.length === 1 ? true : undefined));
    expect([keys.claim, keys.look, keys.await].map(({ mock }) => mock.calls.length)).toEqual([1, 2, 1]);
    is(RUNNING);
    wakes[0]?.();
    await eventually(async () => (wakes.length === 2 ? true : undefined));
    expect([keys.claim, keys.look, keys.await].map(({ mock }) => mock.calls.length)).toEqual([1, 3, 1]);
    is({ is: 'answered', claimId: 'c' });
    wakes[1]?.();
    await waiting;
  });

  it.each([
    ['ended without an answer', undefined],
    ['died', { ...RUNNING, isLeased: false }],
  ])('takes the place of one that %s', async (_, left) => {
    is(RUNNING);
    const waiting = take();
    await eventually(async () => (wakes.length === 1 ? true : undefined));
    keys.look.mockResolvedValue(left);
    keys.claim.mockResolvedValue(true);
    wakes[0]?.();
    expect(await waiting).toHaveProperty('claim');
  });

  it('waits on for one that cannot be replaced yet', async () => {
    is(RUNNING);
    const waiting = take();
    await eventually(async () => (wakes.length === 1 ? true : undefined));
    is({ ...RUNNING, isLeased: false });
    wakes[0]?.();
    await eventually(async () => (wakes.length === 2 ? true : undefined));
    expect(keys.claim).toHaveBeenCalledTimes(2);
    is({ is: 'answered', claimId: 'c' });
    wakes[1]?.();
    expect(await waiting).toEqual({ answer: ANSWER });
  });

  it('carries out what cannot be read any more', async () => {
    is({ is: 'answered', claimId: 'c' });
    keys.answerOf.mockResolvedValue(undefined);
    keys.claim.mockResolvedValueOnce(false).mockResolvedValueOnce(true);
    expect(await take()).toHaveProperty('claim');
  });

  it('lets so many of one owner wait, and others besides', async () => {
    is(RUNNING);
    const first = [take(), take()];
    await eventually(async () => (wakes.length === 2 ? true : undefined));
    await expect(take()).rejects.toMatchObject({ code: 'RATE_LIMITED', status: 429, retryAfterMs: 5000 });
    const other = take(undefined, 'other');
    await eventually(async () => (wakes.length === 3 ? true : undefined));
    is({ is: 'answered', claimId: 'c' });
    for (const wake of wakes) wake();
    expect(await Promise.all([...first, other])).toEqual([1, 2, 3].map(() => ({ answer: ANSWER })));
    expect(stop).toHaveBeenCalledTimes(3);
    is(RUNNING);
    const next = take();
    await eventually(async () => (wakes.length === 4 ? true : undefined));
    is({ is: 'answered', claimId: 'c' });
    wakes[3]?.();
    await next;
  });

  it('leaves a key to the process that has its secret key', async () => {
    is({ is: 'elsewhere' });
    const failure = await take().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ServiceUnavailableError);
    expect(failure).toMatchObject({ retryAfterMs: 5000, param: 'Idempotency-Key' });
  });
});
