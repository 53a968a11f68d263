/**
 * Proof 6: every metered route, streamed or not, ends in one terminal state of the books, however the call ends. The
 * oracle is the provider's own log. A metered route that is missing here fails.
 */
import { startApp, type TestApp } from '../support/app';
import { eventually } from '../support/eventually';
import { reportProof } from '../support/proof-report';
import { routeTable } from '../support/route-table';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const MODEL = 'openai/gpt-4o-mini';

interface MeteredRoute {
  /** A request to the model, streamed or not, whose prompt is the text. */
  body(text: string, isStream: boolean): object;
  /** What the route can do: not all can stream. */
  readonly modes: readonly boolean[];
}

/** How each metered route is called. */
const METERED: Readonly<Record<string, MeteredRoute>> = {
  // Each of its rounds is a request of its own in the books.
  'POST /api/v1/agents/{type}/execute': {
    body: (text) => ({ title: text, description: text, model: MODEL, maxTokens: 200 }),
    modes: [false],
  },
  'POST /v1/embeddings': {
    body: (text) => ({ model: 'openai/text-embedding-3-small', input: text }),
    modes: [false],
  },
  'POST /v1/chat/completions': {
    body: (text, isStream) => ({
      model: MODEL,
      stream: isStream,
      max_tokens: 200,
      messages: [{ role: 'user', content: text }],
    }),
    modes: [false, true],
  },
  'POST /v1/messages': {
    body: (text, isStream) => ({
      model: MODEL,
      stream: isStream,
      max_tokens: 200,
      messages: [{ role: 'user', content: text }],
    }),
    modes: [false, true],
  },
  'POST /v1/responses': {
    body: (text, isStream) => ({ model: MODEL, stream: isStream, max_output_tokens: 200, input: text }),
    modes: [false, true],
  },
};

interface Ending {
  readonly script: object;
  /** Hang up once the provider has sent something. */
  readonly hangUp?: boolean;
  readonly outcomes: readonly string[];
  /** Does the provider charge for its attempts? */
  readonly isCharged: boolean;
}

const ENDINGS: Readonly<Record<string, Ending>> = {
  ok: {
    script: { answer: 'All is well, and here is your answer.' },
    outcomes: ['succeeded'],
    isCharged: true,
  },
  '4xx': { script: { fault: { kind: 'status', status: 422 } }, outcomes: ['failed'], isCharged: false },
  '5xx': {
    script: { fault: { kind: 'status', status: 500 }, times: 'always' },
    outcomes: ['failed', 'failed', 'failed', 'failed'],
    isCharged: false,
  },
  'cut after the first bytes': {
    script: { fault: { kind: 'cut', afterChunks: 2 }, times: 'always' },
    outcomes: ['truncated'],
    isCharged: true,
  },
  'disconnect before the first byte': {
    script: { fault: { kind: 'stall' } },
    hangUp: true,
    outcomes: ['cancelled'],
    isCharged: true,
  },
  'disconnect in the middle': {
    script: { fault: { kind: 'stall', afterChunks: 2 } },
    hangUp: true,
    outcomes: ['cancelled'],
    isCharged: true,
  },
};

describe('every metered route ends in one state of the books', () => {
  let truth: TruthProvider;
  let app: TestApp;
  let checked = 0;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url });
    await app.createBudget(app.admin, '50');
  });

  afterEach(() => truth.clearScripts());

  afterAll(async () => {
    reportProof(6, { 'metered routes': Object.keys(METERED).length, 'route × mode × ending': checked });
    await app.close();
    await truth.stop();
  });

  it('knows every metered route', async () => {
    const metered = (await routeTable()).filter(({ routeClass }) => routeClass === 'metered');
    expect(metered.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
      Object.keys(METERED).toSorted(),
    );
  });

  const cases = Object.entries(METERED).flatMap(([route, { modes }]) =>
    modes.flatMap((isStream) => Object.keys(ENDINGS).map((ending) => [route, isStream, ending] as const)),
  );

  it.each(cases)('%s, stream %s: %s', async (route, isStream, name) => {
    const metered = METERED[route] as MeteredRoute;
    const ending = ENDINGS[name] as Ending;
    const before = (await truth.attempts()).length;
    await truth.script(ending.script);

    const requestId = await callAndEnd(route.slice('POST '.length), metered.body(name, isStream), ending);

    await eventually(async () => ((await openHolds()) === 0 ? true : undefined));
    const seen = (
      await truth.waitFor((all) => all.slice(before).every(({ outcome }) => outcome !== 'open'))
    ).slice(before);
    const lines = await eventually(async () => {
      const booked = requestId === undefined ? await newestLines(seen.length) : await app.lines(requestId);
      return booked.length >= seen.length ? booked : undefined;
    });
    expect(lines.map(({ attempt }) => attempt)).toEqual(seen.map((_, index) => index + 1));
    expect(new Set(lines.map(({ requestId: id }) => id)).size).toBe(1);
    // A JSON answer that was cut in its middle is tried again; the last state of each attempt is what counts.
    expect(lines.map(({ outcome }) => outcome)).toEqual(
      seen.map((_, index) => ending.outcomes[index] ?? ending.outcomes.at(-1)),
    );
    for (const [index, line] of lines.entries()) {
      const truthful = seen[index];
      if (ending.isCharged) expect(Number(line.costUsd)).toBeGreaterThan(0);
      else expect(line.costUsd).toBe('0');
      if (!ending.isCharged || !truthful) continue;
      const isBound = line.usageSource === 'upper_bound';
      const [prompt, completion] = [line.promptTokens ?? 0, line.completionTokens ?? 0];
      expect(isBound ? prompt >= truthful.promptTokens : prompt === truthful.promptTokens).toBe(true);
      expect(
        isBound ? completion >= truthful.completionTokens : completion === truthful.completionTokens,
      ).toBe(true);
    }
    expect(await app.reconcile()).toEqual([]);
    checked += 1;
  });

  /** The id of the request, where the answer still told it. */
  async function callAndEnd(route: string, body: object, { hangUp }: Ending): Promise<string | undefined> {
    const controller = new AbortController();
    const before = (await truth.attempts()).length;
    const call = fetch(`${app.url}${route.replace('{type}', 'writer')}`, {
      method: 'POST',
      signal: controller.signal,
      headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const ended = call
      .then(async (response) => {
        await response.text().catch(() => undefined);
        return route.includes('{') ? undefined : (response.headers.get('x-lattice-request-id') ?? undefined);
      })
      .catch(() => undefined);
    if (hangUp) {
      await truth.waitFor((attempts) => attempts.length > before);
      controller.abort();
    }
    return await ended;
  }

  async function openHolds(): Promise<number> {
    const [row]: { count: string }[] = await app.database.query('select count(*) from holds');
    return Number(row?.count);
  }

  /** The lines of the newest request, once there are that many. */
  async function newestLines(count: number): Promise<Awaited<ReturnType<TestApp['lines']>>> {
    const { body } = await app.call<{ data: { requestId: string }[] }>('GET', '/api/v1/usage/lines?limit=1');
    const [newest] = body.data;
    const lines = newest ? await app.lines(newest.requestId) : [];
    return lines.length >= count ? lines : [];
  }
});
