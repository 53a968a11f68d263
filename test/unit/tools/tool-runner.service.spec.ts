import type { JsonObject, JsonValue, RequestContext } from '../../../src/common/index';
import { type AppConfig, EnvDto } from '../../../src/config/index';
import { type Tool, ToolRegistry, ToolRunner } from '../../../src/tools/index';

const CTX: RequestContext = {
  requestId: '0192f0c1-a2b3-7c4d-8e5f-60718293a4b5',
  traceId: '0'.repeat(32),
  principal: { userId: '0192f0c1-a2b3-7c4d-8e5f-60718293a4b6', role: 'operator' },
  signal: new AbortController().signal,
};

interface Setup {
  readonly run?: Tool['run'];
  readonly parameters?: JsonObject;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly own?: Partial<Tool>;
}

function setUp({
  run,
  parameters = { type: 'object' },
  timeoutMs = 30_000,
  signal = CTX.signal,
  own,
}: Setup) {
  const registry = new ToolRegistry();
  const calls: JsonObject[] = [];
  const record: Tool['run'] = (_, args) => {
    calls.push(args);
    return Promise.resolve('done');
  };
  registry.register({ name: 'probe', description: 'A probe', parameters, run: run ?? record, ...own });
  const config = { vars: Object.assign(new EnvDto(), { TOOL_TIMEOUT_MS: timeoutMs }) };
  const runner = new ToolRunner(registry, config as AppConfig);
  return {
    calls,
    call: (text: string, name = 'probe') => runner.run(CTX, { name, arguments: text }, signal),
  };
}

const returning = (value: JsonValue) => setUp({ run: () => Promise.resolve(value) }).call('{}');

describe(ToolRunner.name, () => {
  it('runs a tool with its parsed arguments', async () => {
    const { call, calls } = setUp({});
    expect(await call('{"a":[1]}')).toEqual({ ok: true, content: 'done' });
    expect(await call('')).toEqual({ ok: true, content: 'done' });
    expect(calls).toEqual([{ a: [1] }, {}]);
  });

  it('gives text as it is and everything else as JSON', async () => {
    expect((await returning('plain')).content).toBe('plain');
    expect((await returning({ a: [1, null] })).content).toBe('{"a":[1,null]}');
    expect((await returning(undefined as unknown as JsonValue)).content).toBe('null');
  });

  it('bounds a long result and says how long it was', async () => {
    const { ok, content } = await returning('ä'.repeat(80_000));
    expect(ok).toBe(true);
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(100 * 1024);
    expect(content).toMatch(/ä\n\[cut: 160000 bytes in all\]$/);
  });

  it('bounds a result by the tool’s own limit', async () => {
    const own = { outputBytes: 200 * 1024, run: () => Promise.resolve('x'.repeat(150 * 1024)) };
    expect((await setUp({ own }).call('{}')).content).toHaveLength(150 * 1024);
    const small = { outputBytes: 40, run: () => Promise.resolve('x'.repeat(100)) };
    expect((await setUp({ own: small }).call('{}')).content).toBe(
      `${'x'.repeat(16)}\n[cut: 100 bytes in all]`,
    );
  });

  it('reports a tool that is not available, and does not run it', async () => {
    const { call, calls } = setUp({ own: { unavailableReason: () => 'it is away' } });
    expect(await call('{}')).toEqual({
      ok: false,
      content: 'Error: the tool "probe" is not available: it is away',
    });
    expect(calls).toHaveLength(0);
  });

  it('runs the tool of its owner for nobody else', async () => {
    const theirs = setUp({ own: { ownerId: '0192f0c1-a2b3-7c4d-8e5f-60718293a4b7' } });
    expect((await theirs.call('{}')).content).toBe('Error: there is no tool "probe"');
    const mine = setUp({ own: { ownerId: CTX.principal.userId } });
    expect((await mine.call('{}')).ok).toBe(true);
  });

  it('reports an unknown tool', async () => {
    expect(await setUp({}).call('{}', 'other')).toEqual({
      ok: false,
      content: 'Error: there is no tool "other"',
    });
  });

  it.each(['{', '[]', '"text"', 'null', '7'])(
    'reports arguments that are no JSON object: %s',
    async (text) => {
      const { call, calls } = setUp({});
      expect(await call(text)).toEqual({ ok: false, content: 'Error: the arguments are not a JSON object' });
      expect(calls).toHaveLength(0);
    },
  );

  describe('arguments', () => {
    const parameters: JsonObject = {
      type: 'object',
      properties: {
        city: { type: 'string' },
        days: { type: 'integer' },
        unit: { enum: ['C', 'F'] },
        mode: { const: 'fast' },
        at: { type: ['string', 'null'] },
        tags: { type: 'array', items: { type: 'string' } },
        place: { type: 'object', properties: { lat: { type: 'number' } }, required: ['lat'] },
      },
      required: ['city'],
      additionalProperties: false,
    };

    it.each([
      ['{}', 'arguments.city is required'],
      ['{"city":1}', 'arguments.city must be of type string'],
      ['{"city":"x","days":1.5}', 'arguments.days must be of type integer'],
      ['{"city":"x","unit":"K"}', 'arguments.unit must be one of ["C","F"]'],
      ['{"city":"x","mode":"slow"}', 'arguments.mode must be one of ["fast"]'],
      ['{"city":"x","at":4}', 'arguments.at must be of type string or null'],
      ['{"city":"x","tags":["a",2]}', 'arguments.tags[1] must be of type string'],
      ['{"city":"x","place":{}}', 'arguments.place.lat is required'],
      ['{"city":"x","toString":1}', 'arguments.toString is not known'],
      ['{"days":"x"}', 'arguments.city is required; arguments.days must be of type integer'],
    ])('are refused: %s', async (text, problem) => {
      const { call, calls } = setUp({ parameters });
      const { ok, content } = await call(text);
      expect(ok).toBe(false);
      expect(content).toContain(`Error: ${problem}`);
      expect(calls).toHaveLength(0);
    });

    it('are taken when they fit', async () => {
      const { call } = setUp({ parameters });
      const text =
        '{"city":"x","days":2,"unit":"C","mode":"fast","at":null,"tags":["a"],"place":{"lat":1.5}}';
      expect(await call(text)).toMatchObject({ ok: true });
    });

    it('are reported with five problems at most', async () => {
      const names = Array.from({ length: 20 }, (_, at) => `p${at}`);
      const { content } = await setUp({ parameters: { type: 'object', required: names } }).call('{}');
      expect(content.split(';')).toHaveLength(5);
    });
  });

  it('reports what a tool throws, without a stack', async () => {
    const failing = (error: unknown) => setUp({ run: () => Promise.reject(error as Error) }).call('{}');
    expect(await failing(new Error('no such city\n    at secret.ts:1'))).toEqual({
      ok: false,
      content: 'Error: no such city',
    });
    expect(await failing('text')).toEqual({ ok: false, content: 'Error: text' });
    expect(await failing(new Error(''))).toEqual({ ok: false, content: 'Error: the tool failed' });
  });

  it('gives up on a tool that heeds no signal', async () => {
    const { call } = setUp({ run: () => new Promise(() => undefined), timeoutMs: 10 });
    expect(await call('{}')).toEqual({ ok: false, content: 'Error: probe did not finish within 10 ms' });
  });

  it('gives a tool the time that it asks for', async () => {
    const own = { timeoutMs: 10 };
    const { call } = setUp({ run: () => new Promise(() => undefined), own });
    expect(await call('{}')).toEqual({ ok: false, content: 'Error: probe did not finish within 10 ms' });
  });

  it('tells the tool when its time is over', async () => {
    let seen: AbortSignal | undefined;
    const run: Tool['run'] = (_ctx, _args, signal) => {
      seen = signal;
      return new Promise(() => undefined);
    };
    await setUp({ run, timeoutMs: 10 }).call('{}');
    expect(seen?.aborted).toBe(true);
  });

  it('leaves with the caller, before and during the run', async () => {
    const controller = new AbortController();
    const run: Tool['run'] = () => {
      controller.abort();
      return new Promise(() => undefined);
    };
    const { call } = setUp({ run, signal: controller.signal });
    expect(await call('{}')).toEqual({ ok: false, content: 'Error: the call was cancelled' });
    expect(await call('{}')).toEqual({ ok: false, content: 'Error: the call was cancelled' });
  });

  it('survives a schema that no arguments can be checked by', async () => {
    const unknown = { type: 'object', properties: { a: { $ref: '#/nowhere/' } } };
    const endless = {
      type: 'object',
      properties: { a: { $ref: '#/$defs/b' } },
      $defs: { b: { $ref: '#/$defs/b' } },
    };
    const ownerId = CTX.principal.userId;
    for (const parameters of [unknown, endless]) {
      expect(await setUp({ parameters, own: { ownerId } }).call('{"a":1}')).toEqual({
        ok: true,
        content: 'done',
      });
    }
    const { ok, content } = await setUp({ parameters: endless }).call('{"a":1}');
    expect([ok, content]).toEqual([false, expect.stringContaining('Error: ')]);
  });

  it('tells the model of a user’s tool that its schema is none', async () => {
    const own = { ownerId: CTX.principal.userId };
    const { ok, content } = await setUp({ parameters: { type: 'strin' }, own }).call('{}');
    expect([ok, content]).toEqual([
      false,
      expect.stringContaining('the schema of its arguments is not valid'),
    ]);
  });
});
