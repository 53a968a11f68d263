import { startApp, type TestApp } from '../support/app';
import { GoldenUpstream } from '../support/contract/golden-upstream';
import { readSse } from '../support/sse';

const MODEL = 'openai/gpt-4o-mini';
const COMPLETION = { id: 'c', object: 'chat.completion', created: 1, model: 'gpt-4o-mini' };
const CHUNK = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini' };
const event = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`;
const text = (content: string, more: object = {}) =>
  event({ ...CHUNK, choices: [{ index: 0, delta: { content }, finish_reason: null }], ...more });
const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

/** Answers that no provider should give: whatever comes, it is booked, and the client is told the truth. */
describe('odd upstreams', () => {
  const upstream = new GoldenUpstream();
  let app: TestApp;

  beforeAll(async () => {
    await upstream.start();
    app = await startApp({ OPENAI_BASE_URL: `${upstream.url}/g/odd/v1` });
  });

  afterAll(async () => {
    await app.close();
    await upstream.stop();
  });

  afterEach(async () => {
    expect(await app.database.query('select 1 from holds')).toEqual([]);
    expect(await app.reconcile()).toEqual([]);
  });

  const ask = (body: object = {}) =>
    fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${app.admin.key}`,
        'content-type': 'application/json',
        'x-lattice-fallback': 'none',
      },
      body: JSON.stringify({
        model: MODEL,
        max_tokens: 50,
        messages: [{ role: 'user', content: 'Hi' }],
        ...body,
      }),
    });

  const linesOf = (response: Response) => app.lines(response.headers.get('x-lattice-request-id') ?? '');

  it.each<[string, object]>([
    ['null for a choice', { choices: [null] }],
    ['an object for tool calls', { choices: [{ message: { tool_calls: {} } }] }],
    ['null for a tool call', { choices: [{ message: { tool_calls: [null] } }] }],
    [
      'an object for arguments',
      { choices: [{ message: { tool_calls: [{ function: { name: 'f', arguments: {} } }] } }] },
    ],
    [
      'contradictory usage beside an error',
      { error: { message: 'x' }, usage: { ...USAGE, prompt_tokens_details: { cached_tokens: 50 } } },
    ],
  ])('answers 502 and books every attempt when JSON holds %s', async (_, body) => {
    upstream.serve('odd', { steps: [JSON.stringify({ ...COMPLETION, ...body })] });
    const response = await ask();
    expect(response.status).toBe(502);
    const lines = await linesOf(response);
    expect(lines).toHaveLength(4);
    expect(new Set(lines.map((line) => [line.outcome, line.usageSource].join()))).toEqual(
      new Set(['failed,upper_bound']),
    );
  });

  it.each<[string, unknown]>([
    ['null for a choice', { ...CHUNK, choices: [null] }],
    ['a text for choices', { ...CHUNK, choices: 'abc' }],
    ['null for a tool call', { ...CHUNK, choices: [{ index: 0, delta: { tool_calls: [null] } }] }],
    [
      'an object for arguments',
      {
        ...CHUNK,
        choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: {} } }] } }],
      },
    ],
  ])('skips a line with %s and keeps the stream good', async (_, odd) => {
    const finish = event({ ...CHUNK, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    upstream.serve('odd', {
      headers: { 'content-type': 'text/event-stream' },
      steps: [
        text('a'),
        event(odd),
        text('b'),
        finish,
        event({ ...CHUNK, choices: [], usage: USAGE }),
        'data: [DONE]\n\n',
      ],
    });
    const answer = await readSse(await ask({ stream: true }));
    expect(answer.isDone).toBe(true);
    expect(answer.events.filter((data) => data.includes('"content"')).length).toBe(2);
  });

  it.each<[string, object]>([
    ['zero', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }],
    ['running', { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }],
    ['contradictory', { ...USAGE, prompt_tokens_details: { cached_tokens: 50 } }],
  ])('does not take %s usage of a stream that breaks for the truth', async (_, usage) => {
    upstream.serve('odd', {
      headers: { 'content-type': 'text/event-stream' },
      steps: [text('a'), text('b', { usage }), event({ error: { message: 'broken', type: 'server_error' } })],
    });
    const response = await ask({ stream: true });
    const answer = await readSse(response);
    expect(answer.isDone).toBe(false);
    const [line] = await linesOf(response);
    expect(line).toMatchObject({ usageSource: 'upper_bound', completionTokens: 50 });
    expect(Number(line?.costUsd)).toBeGreaterThan(0);
  });

  it('tells what it knows in a last chunk when the upstream gives no finish reason', async () => {
    upstream.serve('odd', {
      headers: { 'content-type': 'text/event-stream' },
      steps: [text('a'), event({ ...CHUNK, choices: [], usage: USAGE }), 'data: [DONE]\n\n'],
    });
    const answer = await readSse(await ask({ stream: true }));
    expect([answer.isDone, answer.json.at(-1)]).toEqual([
      true,
      expect.objectContaining({ lattice: expect.objectContaining({ attempts: 1 }) }),
    ]);
  });

  it('keeps parallel calls apart that a stream gives one index', async () => {
    const call = (id: string, name: string) =>
      event({
        ...CHUNK,
        choices: [
          {
            index: 0,
            delta: { tool_calls: [{ index: 0, id, type: 'function', function: { name, arguments: '{}' } }] },
            finish_reason: null,
          },
        ],
      });
    const finish = event({ ...CHUNK, choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] });
    upstream.serve('odd', {
      headers: { 'content-type': 'text/event-stream' },
      steps: [call('a', 'mine'), call('b', 'yours'), finish, 'data: [DONE]\n\n'],
    });
    const tools = ['mine', 'yours'].map((name) => ({ type: 'function', function: { name } }));
    const answer = await readSse(await ask({ stream: true, tools, lattice: { tools: ['current_time'] } }));
    expect(answer.events.join()).toMatch(/"name":"mine".*"name":"yours"/);
  });

  it('names the successor of a model that its provider no longer has', async () => {
    upstream.serve('odd', {
      status: 404,
      steps: [JSON.stringify({ error: { message: 'no such model', code: 'model_not_found' } })],
    });
    const body = (await (await ask()).json()) as { error: { message: string } };
    expect(body.error.message).toContain('openai/gpt-6-luna');
  });

  it.each([
    ['ends well', [event({ ...CHUNK, choices: [], usage: USAGE }), 'data: [DONE]\n\n'], 'succeeded'],
    ['breaks', [], 'truncated'],
  ])('counts the lines of a stream that nobody can read, when it %s', async (_, end, outcome) => {
    const counted = async () => {
      const metrics = await app.call('GET', '/metrics');
      const labels = String.raw`\{provider="openai",model="openai/gpt-4o-mini"\}`;
      return Number(
        new RegExp(`^lattice_malformed_lines_total${labels} (\\d+)`, 'm').exec(metrics.text)?.[1] ?? 0,
      );
    };
    const before = await counted();
    const broken = 'data: {"choices"\n\n';
    upstream.serve('odd', {
      headers: { 'content-type': 'text/event-stream' },
      steps: [text('a'), broken, broken, text('b'), ...end],
    });
    const response = await ask({ stream: true });
    await response.text();
    expect((await linesOf(response)).map((line) => line.outcome)).toEqual([outcome]);
    expect((await counted()) - before).toBe(2);
  });
});
