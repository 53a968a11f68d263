import { formatUsd, fromApiId, newId, parseUsd, toApiId } from '../../src/common/index';
import { type Account, type Answer, CHAT_MODEL, startApp, type TestApp } from '../support/app';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

interface Candidate {
  readonly model: string;
  readonly quality: number;
  readonly costPico: number;
}

interface Decision {
  readonly id: string;
  readonly requestId: string;
  readonly userId: string;
  readonly model: string;
  readonly decision: {
    readonly strategy: string;
    readonly target?: Record<string, unknown>;
    readonly candidates: readonly Candidate[];
    readonly alternatives: { readonly best: Candidate; readonly cheapest: Candidate };
    readonly features: { readonly promptTokens: number };
    readonly filtered: Readonly<Record<string, number>>;
  };
}

interface Replay {
  readonly isSame: boolean;
  readonly decision: { readonly model: string; readonly candidates: readonly object[] };
  readonly replayed: object;
  readonly changed: readonly { readonly what: string; readonly isKept: boolean }[];
  readonly today: { readonly model: string; readonly target: object | null } | null;
}

interface Compared {
  readonly requests: number;
  readonly requestsCompared?: number;
  readonly comparedUsd?: string;
  readonly alwaysBestUsd?: string;
  readonly alwaysCheapestUsd?: string;
}

/** As many as every model is expected to write, because no more are asked for. */
const ANSWER_TOKENS = 10;

/** Without what is measured once a minute, at any moment. */
const changes = ({ changed }: Replay) =>
  changed.map(({ what }) => what).filter((what) => what !== 'performance');

describe('routing decisions', () => {
  let truth: TruthProvider;
  let app: TestApp;
  let account: Account;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  beforeEach(async () => {
    account = await app.register();
  });

  const ask = async (more: object = {}, headers: Record<string, string> = {}): Promise<Answer> => {
    const messages = [{ role: 'user', content: 'Prove that there are infinitely many primes' }];
    const body = { model: 'auto', messages, max_tokens: ANSWER_TOKENS, ...more };
    return await app.call('POST', '/v1/chat/completions', { body, headers, credential: account.key });
  };
  const idOf = (answer: Answer): string => answer.headers.get('x-lattice-decision-id') ?? '';
  const decisionOf = async (answer: Answer): Promise<Decision> => {
    expect(answer.status).toBe(200);
    return (await app.call<Decision>('GET', `/api/v1/decisions/${idOf(answer)}`)).body;
  };
  const replay = async (id: string, credential = account.accessToken) =>
    await app.call<Replay>('POST', `/api/v1/decisions/${id}/replay`, { credential });

  describe('with a quality target', () => {
    it('goes to a cheaper model than the best, records why, and no candidate is below it', async () => {
      const best = await decisionOf(await ask({ lattice: { quality: 1 } }));
      const cheaper = await decisionOf(await ask({ lattice: { quality: 0.8 } }));
      expect(best.model).toBe(best.decision.alternatives.best.model);
      expect(cheaper.decision.candidates[0]?.costPico).toBeLessThan(
        best.decision.candidates[0]?.costPico ?? 0,
      );
      expect(cheaper.decision).toMatchObject({
        strategy: 'auto',
        target: { quality: 0.8, source: 'request' },
        filtered: { below_target: expect.any(Number) as number },
      });
      const { threshold } = cheaper.decision.target as { threshold: number };
      const qualities = cheaper.decision.candidates.map(({ quality }) => quality);
      expect(Math.min(...qualities)).toBeGreaterThanOrEqual(threshold);
    });

    it('takes the header before the body', async () => {
      const { decision } = await decisionOf(
        await ask({ lattice: { quality: 0.5 } }, { 'x-lattice-quality': '0.9' }),
      );
      expect(decision.target).toMatchObject({ quality: 0.9 });
    });

    it('is refused by name when it is none', async () => {
      expect(await ask({ lattice: { quality: 2 } })).toMatchObject({
        status: 400,
        body: { error: { param: 'lattice.quality' } },
      });
      expect(await ask({}, { 'x-lattice-quality': 'high' })).toMatchObject({
        status: 400,
        body: { error: { param: 'x-lattice-quality' } },
      });
    });

    it('changes nothing for a named model, and says so', async () => {
      const answer = await ask({ model: CHAT_MODEL, lattice: { quality: 0.5 } });
      expect(answer.headers.get('x-lattice-warnings')).toMatch(/quality target has no effect/);
      expect((await decisionOf(answer)).model).toBe(CHAT_MODEL);
    });

    it('works in every dialect', async () => {
      const options = { lattice: { quality: 0.8 }, model: 'auto' };
      const message = await app.call('POST', '/v1/messages', {
        body: { ...options, max_tokens: ANSWER_TOKENS, messages: [{ role: 'user', content: 'Hello' }] },
        credential: account.key,
      });
      const response = await app.call('POST', '/v1/responses', {
        body: { ...options, input: 'Hello' },
        credential: account.key,
      });
      for (const answer of [message, response])
        expect((await decisionOf(answer)).decision.target).toMatchObject({ quality: 0.8 });
    });
  });

  describe('the list', () => {
    const list = async (query: string, credential = account.accessToken) =>
      await app.call<{ data: Decision[]; nextCursor: string | null }>('GET', `/api/v1/decisions?${query}`, {
        credential,
      });

    it('shows one’s own, newest first, by what they are asked for', async () => {
      const routed = idOf(await ask());
      const pinned = idOf(await ask({ model: CHAT_MODEL }));
      expect((await list('limit=5')).body.data.map(({ id }) => id)).toEqual([pinned, routed]);
      expect((await list('strategy=pinned')).body.data).toMatchObject([{ id: pinned, model: CHAT_MODEL }]);
      expect((await list(`model=${CHAT_MODEL}`)).body.data.map(({ id }) => id)).toEqual([pinned]);
      expect((await list('to=2026-01-01')).body.data).toEqual([]);
      const first = await list('limit=1');
      const second = await list(`limit=1&cursor=${first.body.nextCursor}`);
      expect(second.body.data.map(({ id }) => id)).toEqual([routed]);
    });

    it('shows nothing of others, except to administrators', async () => {
      const id = idOf(await ask());
      const stranger = await app.register();
      expect((await list('', stranger.accessToken)).body.data).toEqual([]);
      expect((await list(`userId=${account.userId}`, stranger.accessToken)).status).toBe(403);
      const seen = await list(`userId=${account.userId}`, app.admin.accessToken);
      expect(seen.body.data).toMatchObject([{ id, userId: account.userId }]);
    });
  });

  describe('a replay', () => {
    it.each<[string, object]>([
      ['a routed request', {}],
      ['a target', { lattice: { quality: 0.7 } }],
      ['a stream with a tool', { stream: true, tools: [{ type: 'function', function: { name: 'look' } }] }],
      ['a named model with any fallback', { model: CHAT_MODEL, lattice: { fallback: 'any' } }],
    ])('gives the same for %s', async (_, more) => {
      const { status, body } = await replay(idOf(await ask(more)));
      expect([status, body.isSame, body.changed, body.today]).toEqual([200, true, [], null]);
      expect(body.replayed).toEqual(body.decision);
    });

    it('gives the same after a price and a preference changed, and says what today’s answer would be', async () => {
      const id = idOf(await ask({ model: 'auto:cheap' }));
      const plain = idOf(await ask());
      const { decision } = (await replay(id)).body;
      const price = `/api/v1/catalog/prices/${decision.model}`;
      await app.call('PUT', price, {
        body: { input: '900', output: '900' },
        credential: app.admin.accessToken,
      });
      try {
        const { body } = await replay(id);
        expect([body.isSame, changes(body)]).toEqual([true, ['prices']]);
        expect(body.decision).toEqual(decision);
        expect(body.today?.model).not.toBe(decision.model);
      } finally {
        await app.call('DELETE', price, { credential: app.admin.accessToken });
      }
      const set = await app.call('PUT', '/api/v1/routing/preferences', {
        body: { quality: 0.6 },
        credential: account.accessToken,
      });
      expect(set.status).toBe(200);
      const { body } = await replay(plain);
      expect([body.isSame, changes(body)]).toEqual([true, ['prices', 'quality']]);
      expect(body.today?.target).toMatchObject({ quality: 0.6, source: 'owner' });
    });

    it('is its owner’s, and reads only: viewers may', async () => {
      const id = idOf(await ask());
      expect((await replay(id, (await app.register()).accessToken)).status).toBe(404);
      expect((await replay(id, app.admin.accessToken)).status).toBe(200);
      const body = { role: 'viewer' };
      await app.call('PATCH', `/api/v1/users/${account.userId}`, { body, credential: app.admin.accessToken });
      expect((await replay(id)).status).toBe(200);
    });

    it('is refused for what an earlier version stored, and for embeddings', async () => {
      const old = newId();
      await app.database.query(
        `insert into decisions (id, request_id, user_id, created_at, record) values ($1, $2, $3, now(), $4)`,
        [
          old,
          newId(),
          fromApiId('usr', account.userId),
          { asked: { model: 'auto' }, task: { type: 'MATH' } },
        ],
      );
      const { status, body } = await replay(toApiId('dec', old));
      expect([status, body]).toMatchObject([422, { error: { code: 'DECISION_NOT_REPLAYABLE' } }]);
      const vectors = await app.call('POST', '/v1/embeddings', {
        body: { model: 'openai/text-embedding-3-small', input: 'Hello' },
        credential: account.key,
      });
      expect(await replay(idOf(vectors))).toMatchObject({
        status: 422,
        body: { error: { message: expect.stringContaining('embedding') as string } },
      });
    });
  });

  describe('in the usage report', () => {
    const usage = async (query: string) =>
      await app.call<{ data: Compared[]; total: Compared }>('GET', `/api/v1/usage?${query}`, {
        credential: account.accessToken,
      });
    const costOf = async (answer: Answer): Promise<bigint> => {
      const lines = await app.lines(answer.headers.get('x-request-id') ?? '');
      return lines.reduce((sum, { costUsd }) => sum + parseUsd(costUsd ?? '0'), 0n);
    };
    const priceOf = async (model: string): Promise<{ input: bigint; output: bigint }> => {
      const { body } = await app.call<{ data: { input: string; output: string }[] }>(
        'GET',
        `/api/v1/catalog/prices?model=${model}`,
      );
      const [current] = body.data;
      const perToken = (usd = '0') => parseUsd(usd) / 1_000_000n;
      return { input: perToken(current?.input), output: perToken(current?.output) };
    };
    /** By hand: this request at that model. */
    const expected = async (decision: Decision['decision'], model: string): Promise<bigint> => {
      const { input, output } = await priceOf(model);
      return BigInt(decision.features.promptTokens) * input + BigInt(ANSWER_TOKENS) * output;
    };
    const rounded = (product: bigint, by: bigint): bigint => (2n * product + by) / (2n * by);

    it('compares routed requests with the best and the cheapest model, to the pico-dollar', async () => {
      const asked = [
        await ask(),
        await ask({ lattice: { quality: 0.8 } }),
        await ask({ model: 'auto:best' }),
      ];
      await ask({ model: CHAT_MODEL });
      const sums = { cost: 0n, best: 0n, cheapest: 0n };
      for (const answer of asked) {
        const { decision, model } = await decisionOf(answer);
        const { best, cheapest } = decision.alternatives;
        const [chosen, atBest, atCheapest] = await Promise.all(
          [model, best.model, cheapest.model].map((name) => expected(decision, name)),
        );
        expect([decision.candidates[0]?.costPico, best.costPico, cheapest.costPico]).toEqual(
          [chosen, atBest, atCheapest].map(Number),
        );
        const cost = await costOf(answer);
        sums.cost += cost;
        sums.best += rounded(cost * (atBest ?? 0n), chosen ?? 1n);
        sums.cheapest += rounded(cost * (atCheapest ?? 0n), chosen ?? 1n);
      }
      const compared = {
        requests: 4,
        requestsCompared: 3,
        comparedUsd: formatUsd(sums.cost),
        alwaysBestUsd: formatUsd(sums.best),
        alwaysCheapestUsd: formatUsd(sums.cheapest),
      };
      expect(sums.cheapest < sums.cost && sums.cost < sums.best).toBe(true);
      const { body } = await usage('groupBy=day&compare=true');
      expect([body.data, body.total]).toMatchObject([[compared], compared]);
      expect((await usage('groupBy=day')).body.total).not.toHaveProperty('alwaysBestUsd');
      const csv = await usage('groupBy=day&compare=true&format=csv');
      const [header = '', row = ''] = csv.text.split('\r\n');
      expect(header).toMatch(/,disputed,requestsCompared,comparedUsd,alwaysBestUsd,alwaysCheapestUsd$/);
      expect(
        row.endsWith(`,3,${compared.comparedUsd},${compared.alwaysBestUsd},${compared.alwaysCheapestUsd}`),
      ).toBe(true);
    });

    it('leaves failures out, and takes what a free model’s rivals were expected to cost', async () => {
      const model = 'openai/gpt-6.1-sol';
      const price = `/api/v1/catalog/prices/${model}`;
      await app.call('PUT', price, { body: { input: '0', output: '0' }, credential: app.admin.accessToken });
      try {
        const answer = await ask({ lattice: { quality: 0.1 } });
        const { decision, model: chosen } = await decisionOf(answer);
        expect([chosen, decision.alternatives.cheapest.costPico]).toEqual([model, 0]);
        const best = await expected(decision, decision.alternatives.best.model);
        expect((await usage('compare=true')).body.total).toMatchObject({
          requestsCompared: 1,
          comparedUsd: '0',
          alwaysBestUsd: formatUsd(best),
          alwaysCheapestUsd: '0',
        });
        await truth.script({ model: model.replace('openai/', ''), fault: { kind: 'status', status: 400 } });
        expect((await ask({ lattice: { quality: 0.1 } })).status).toBe(400);
        expect((await usage('compare=true')).body.total).toMatchObject({ requestsCompared: 1 });
      } finally {
        await truth.clearScripts();
        await app.call('DELETE', price, { credential: app.admin.accessToken });
      }
    });
  });
});
