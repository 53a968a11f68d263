import { fromApiId } from '../../../src/common/index';
import { PasswordHasher } from '../../../src/auth/credentials/password.hasher';
import { type AuthApp, bootAuth, PASSWORD } from './auth-app';

const LOGIN = '/api/v1/auth/login';
const ROUNDS = 25;
/** A machine that is busy with other things blurs a comparison; work that is left out shows in every one of them. */
const COMPARISONS = 6;

describe('a login that fails', () => {
  let auth: AuthApp;
  let emails: readonly string[];

  beforeAll(async () => {
    auth = await bootAuth();
    const [known, disabled] = [await auth.register(), await auth.register()];
    await auth.database.query('update users set disabled_at = now() where id = $1', [
      fromApiId('usr', disabled.userId),
    ]);
    emails = [known.email, 'nobody@example.com', disabled.email];
  });

  beforeEach(() => auth.database.query('delete from attempt_windows'));

  afterEach(() => jest.restoreAllMocks());

  afterAll(() => auth.close());

  let address = 0;

  /** Each from an address of its own, so that no limit is met. */
  async function attempt(email: string, password: string): Promise<unknown> {
    address += 1;
    const from = `10.${(address >> 16) & 255}.${(address >> 8) & 255}.${address & 255}`;
    const { status, body, headers } = await auth.call('POST', LOGIN, { body: { email, password }, from });
    const { requestId: _requestId, ...error } = body.error as Record<string, unknown>;
    return { status, error, authenticate: headers['www-authenticate'], length: headers['content-length'] };
  }

  it('gives one answer whether the account exists, is missing or disabled', async () => {
    const answers = [
      await attempt(emails[0] ?? '', 'not the password'),
      await attempt(emails[1] ?? '', PASSWORD),
      await attempt(emails[2] ?? '', PASSWORD),
      await attempt(emails[2] ?? '', 'not the password'),
    ];
    expect(answers[0]).toMatchObject({
      status: 401,
      error: { code: 'INVALID_CREDENTIALS' },
      authenticate: 'Bearer',
    });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('does the same hashing work', async () => {
    const verify = jest.spyOn(PasswordHasher.prototype, 'verify');
    // The one door to the hash function, whatever calls it.
    const derive = jest.spyOn(PasswordHasher.prototype as unknown as { derive(): Promise<Buffer> }, 'derive');
    const work: unknown[] = [];
    for (const email of emails) {
      verify.mockClear();
      derive.mockClear();
      await attempt(email, 'not the password');
      const [call] = derive.mock.calls as unknown as [string, { parameters: object; length: number }][];
      work.push([verify.mock.calls.length, derive.mock.calls.length, call?.[1].parameters, call?.[1].length]);
    }
    expect(work[0]).toEqual([1, 1, { memoryKiB: 19_456, passes: 2, parallelism: 1 }, 32]);
    expect(work[1]).toEqual(work[0]);
    expect(work[2]).toEqual(work[0]);
  });

  it('takes the same time, medians within 10 %', async () => {
    const spreads: number[] = [];
    for (let comparison = 0; comparison < COMPARISONS; comparison += 1) {
      await auth.database.query('delete from attempt_windows');
      spreads.push(await spreadOfMedians());
      if ((spreads.at(-1) ?? Infinity) <= 1.1) return;
    }
    throw new Error(`The medians never came within 10 %: ${spreads.join(', ')}`);
  }, 120_000);

  /** The largest median over the smallest, of attempts that take turns in a changing order. */
  async function spreadOfMedians(): Promise<number> {
    const times = emails.map((): number[] => []);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let turn = 0; turn < emails.length; turn += 1) {
        const index = (round + turn) % emails.length;
        const startedAt = performance.now();
        await attempt(emails[index] ?? '', 'not the password');
        times[index]?.push(performance.now() - startedAt);
      }
    }
    const medians = times.map((list) => list.toSorted((left, right) => left - right)[ROUNDS >> 1] ?? 0);
    return Math.max(...medians) / Math.min(...medians);
  }
});
