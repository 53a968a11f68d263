import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ScriptSettings } from '../../../../src/config/index';
import { ScriptAdapter } from '../../../../src/providers/adapters/script/script.adapter';
import type { ChatCall, ChatChunk, ChatStream, EmbedCall } from '../../../../src/providers/provider.port';
import { catalogModel } from '../../../support/contract/catalog-model';
import { eventually } from '../../../support/eventually';
import { isRunning } from '../../../support/script/process-state';

const USAGE = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
const HEAD = { id: 'c', created: 1, model: 'served-1' };
const COMPLETION = {
  ...HEAD,
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: USAGE,
};
const chunk = (content: string, finish: string | null = null) => ({
  ...HEAD,
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: { content }, finish_reason: finish }],
});
const say = (...objects: object[]) =>
  objects.map((object) => `printf '%s\\n' '${JSON.stringify(object)}'`).join('; ');
const ERROR = (more: object) => say({ error: { message: 'no luck', ...more } });

type Row = [what: string, shell: string, expected: object, overrides?: Partial<ScriptSettings>];
/** Every row with all its columns: a missing one would be taken for a callback. */
const rows = (given: readonly Row[]) =>
  given.map(([what, shell, expected, overrides = {}]): Required<Row> => [what, shell, expected, overrides]);

describe(ScriptAdapter.name, () => {
  let dir: string;
  const adapters: ScriptAdapter[] = [];
  const errorTexts: Record<string, unknown>[] = [];

  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'lattice-script-'));
    errorTexts.length = 0;
  });

  afterEach(async () => {
    await Promise.all(adapters.splice(0).map((adapter) => adapter.close()));
    rmSync(dir, { recursive: true });
  });

  /** The administrator may name a shell; here it keeps the cases short. */
  function scripted(shell: string, overrides: Partial<ScriptSettings> = {}): ScriptAdapter {
    const settings: ScriptSettings = {
      command: ['/bin/sh', '-c', shell],
      kinds: ['chat', 'embedding'],
      timeoutMs: 20_000,
      maxOutputBytes: 100_000,
      maxErrorBytes: 1000,
      env: [],
      cwd: dir,
      maxConcurrent: 4,
      ...overrides,
    };
    const onErrorText = (fields: object) => errorTexts.push({ ...fields });
    const adapter = new ScriptAdapter('openai', settings, { graceMs: 100, onErrorText });
    adapters.push(adapter);
    return adapter;
  }

  const call = (more: Partial<ChatCall> = {}): ChatCall => ({
    model: catalogModel(),
    body: { model: 'test-model-1', messages: [{ role: 'user', content: 'Hi there, script' }], user: 'ada' },
    signal: new AbortController().signal,
    requestId: 'req_1',
    ...more,
  });
  const failure = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => undefined,
      (error: unknown) => error,
    );
  const pidsIn = (file: string): number[] =>
    readFileSync(path.join(dir, file), 'utf8').trim().split('\n').map(Number);
  const written = (file: string) =>
    eventually(() => Promise.resolve(safely(() => (pidsIn(file).length > 1 ? pidsIn(file) : undefined))));
  const allGone = (pids: readonly number[]) =>
    eventually(() => Promise.resolve(pids.some(isRunning) ? undefined : true));

  async function collect(stream: ChatStream) {
    const chunks: ChatChunk[] = [];
    for await (const item of stream.chunks) chunks.push(item);
    return chunks;
  }
  const streamed = async (adapter: ScriptAdapter) => collect(await adapter.chatStream(call()));

  describe('chat', () => {
    it('gives the script one JSON object and takes its completion with usage', async () => {
      const adapter = scripted(`cat > input.json; ${say(COMPLETION)}`);
      const { report, body } = await adapter.chat(call());
      expect(body).toEqual(COMPLETION);
      expect(report).toMatchObject({
        usage: { promptTokens: 7, completionTokens: 3 },
        finishReason: 'stop',
        modelServed: 'served-1',
      });
      expect(JSON.parse(readFileSync(path.join(dir, 'input.json'), 'utf8'))).toEqual({
        version: 1,
        kind: 'chat',
        model: 'test-model-1',
        request: { ...call().body, stream: false },
        requestId: 'req_1',
        stream: false,
      });
    });

    it('knows no usage where none is told', async () => {
      const { report } = await scripted(say({ ...COMPLETION, usage: undefined })).chat(call());
      expect(report.usage).toEqual({});
    });

    it('sends a request that is larger than any pipe', async () => {
      const content = 'x'.repeat(2_000_000);
      const big = call({ body: { model: 'm', messages: [{ role: 'user', content }] } });
      const adapter = scripted(`wc -c > size; ${say(COMPLETION)}`);
      await adapter.chat(big);
      expect(pidsIn('size')[0]).toBeGreaterThan(2_000_000);
    });

    it('passes on only the variables that are allowed', async () => {
      process.env.SCRIPT_TEST_ALLOWED = 'one';
      process.env.SCRIPT_TEST_SECRET = 'two';
      try {
        await scripted(`env > env; ${say(COMPLETION)}`, {
          env: ['SCRIPT_TEST_ALLOWED', 'SCRIPT_TEST_UNSET'],
        }).chat(call());
      } finally {
        delete process.env.SCRIPT_TEST_ALLOWED;
        delete process.env.SCRIPT_TEST_SECRET;
      }
      const names = readFileSync(path.join(dir, 'env'), 'utf8')
        .split('\n')
        .map((line) => line.split('=')[0]);
      expect(names).toContain('SCRIPT_TEST_ALLOWED');
      const byTheShell = ['PWD', 'OLDPWD', 'SHLVL', '_', ''];
      const known = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'SCRIPT_TEST_ALLOWED', ...byTheShell];
      expect(names.filter((name) => !known.includes(name ?? ''))).toEqual([]);
    });
  });

  describe('failures', () => {
    it.each(
      rows([
        [
          'a program that is not there',
          '',
          { fault: 'connect', mayBeBilled: false, failure: 'retry' },
          { command: ['/no/such/program'] },
        ],
        ['an exit code', 'exit 3', { fault: 'overloaded', mayBeBilled: true, failure: 'retry' }],
        [
          'an exit code after a completion',
          `${say(COMPLETION)}; exit 3`,
          { fault: 'overloaded', mayBeBilled: true, usage: { promptTokens: 7 } },
        ],
        ['a signal', 'kill -9 $$', { fault: 'overloaded', mayBeBilled: true }],
        ['nothing', 'true', { fault: 'malformed', mayBeBilled: true }],
        ['no JSON', 'echo hello', { fault: 'malformed', mayBeBilled: true }],
        ['JSON of something else', say({ hello: 1 }), { fault: 'malformed', mayBeBilled: true }],
        ['too much', 'yes', { fault: 'too_large', failure: 'final', mayBeBilled: true }],
        ['a timeout', 'sleep 60', { fault: 'overdue', mayBeBilled: true }, { timeoutMs: 200 }],
        [
          'an error with a fault',
          ERROR({ code: 'rate_limited', retryAfterMs: 500 }),
          { fault: 'rate_limited', mayBeBilled: false, retryAfterMs: 500 },
        ],
        [
          'an error with a status',
          ERROR({ code: 401 }),
          { fault: 'rejected', mayBeBilled: false, failure: 'fallover' },
        ],
        [
          'an error with a code of OpenAI',
          ERROR({ code: 'context_length_exceeded' }),
          { fault: 'context_length', mayBeBilled: false },
        ],
        [
          'an unknown error',
          ERROR({ code: 'whatever' }),
          { fault: 'overloaded', mayBeBilled: true, failure: 'retry' },
        ],
        [
          'an unknown error that stays',
          ERROR({ retryable: false }),
          { fault: 'overloaded', mayBeBilled: true, failure: 'fallover' },
        ],
        [
          'an error that may be retried',
          ERROR({ code: 'invalid_request', retryable: true }),
          { failure: 'retry' },
        ],
        ['an error that cost nothing', ERROR({ billed: false }), { mayBeBilled: false }],
        [
          'an error and an exit code',
          `${ERROR({ code: 'not_found' })}; exit 1`,
          { fault: 'not_found', mayBeBilled: false },
        ],
      ]),
    )('of %s are classified', async (_what, shell, expected, overrides) => {
      for (const kind of ['chat', 'chatStream'] as const) {
        const error = await failure(scripted(shell, overrides)[kind](call()));
        expect({ kind, ...(error as object) }).toMatchObject({ kind, provider: 'openai', ...expected });
      }
    });

    it('show neither standard error nor secrets nor the prompt, and log them redacted', async () => {
      process.env.SCRIPT_TEST_SECRET = 'value-of-the-secret';
      try {
        const shell = `echo "trace $SCRIPT_TEST_SECRET and more" >&2; ${ERROR({ message: 'bad value-of-the-secret' })}`;
        const error = (await failure(scripted(shell, { env: ['SCRIPT_TEST_SECRET'] }).chat(call()))) as Error;
        expect(error.message).toBe('The script of openai reported an error: bad [redacted]');
        await eventually(() => Promise.resolve(errorTexts[0]));
        expect(errorTexts).toEqual([
          {
            provider: 'openai',
            requestId: 'req_1',
            code: 0,
            signal: null,
            stderr: 'trace [redacted] and more',
          },
        ]);
        errorTexts.length = 0;
        await scripted(`echo "failed on: Hi there, script" >&2; ${say(COMPLETION)}`).chat(call());
        expect(JSON.stringify(await eventually(() => Promise.resolve(errorTexts[0])))).not.toContain(
          'Hi there',
        );
      } finally {
        delete process.env.SCRIPT_TEST_SECRET;
      }
    });

    it('keep a bounded part of standard error and never wait for it to be read', async () => {
      await scripted(`yes error | head -c 1000000 >&2; ${say(COMPLETION)}`, { maxErrorBytes: 20 }).chat(
        call(),
      );
      const { stderr } = await eventually(() => Promise.resolve(errorTexts[0]));
      expect(stderr).toBe('error\nerror\nerror\ner');
    });
  });

  describe('processes', () => {
    const FAMILY = 'sleep 300 & echo $$ > pids; echo $! >> pids; trap "" TERM; wait; sleep 300';

    it.each<[string, (adapter: ScriptAdapter, abort: () => void) => unknown, object]>([
      ['an abort', (_adapter, abort) => abort(), { fault: 'aborted', mayBeBilled: true }],
      ['a shutdown', (adapter) => adapter.close(), { fault: 'aborted', mayBeBilled: true }],
    ])('and their children end with %s although they ignore SIGTERM', async (_what, end, expected) => {
      const controller = new AbortController();
      const adapter = scripted(FAMILY);
      const failing = failure(adapter.chat(call({ signal: controller.signal })));
      const pids = await written('pids');
      await end(adapter, () => controller.abort());
      expect(await failing).toMatchObject(expected);
      await allGone(pids);
    });

    it('end with the timeout', async () => {
      const failing = failure(scripted(FAMILY, { timeoutMs: 1500 }).chat(call()));
      const pids = await written('pids');
      expect(await failing).toMatchObject({ fault: 'overdue' });
      await allGone(pids);
    });

    it('leave nothing behind that they started', async () => {
      await scripted(`sleep 300 & echo $$ > pids; echo $! >> pids; ${say(COMPLETION)}`).chat(call());
      await allGone(pidsIn('pids'));
    });

    it('are over when the adapter is closed, and no other is started', async () => {
      const adapter = scripted(FAMILY);
      const failing = failure(adapter.chat(call()));
      const pids = await written('pids');
      await adapter.close();
      expect(pids.map(isRunning)[0]).toBe(false);
      await failing;
      expect(await failure(adapter.chat(call()))).toMatchObject({ fault: 'aborted', mayBeBilled: false });
    });

    it('end at once when this process has no time left', async () => {
      const adapter = scripted(FAMILY);
      const failing = failure(adapter.chat(call()));
      const pids = await written('pids');
      adapter.kill();
      expect(await failing).toMatchObject({ fault: 'overloaded' });
      await allGone(pids);
    });

    it('are no more than allowed at once', async () => {
      const shell = `echo x >> running; wc -l < running >> seen; sleep 0.05; sed -i 1d running; ${say(COMPLETION)}`;
      const adapter = scripted(shell, { maxConcurrent: 1 });
      await Promise.all(Array.from({ length: 4 }, () => adapter.chat(call())));
      expect(pidsIn('seen')).toEqual([1, 1, 1, 1]);
    });

    it('are not started for who has gone while waiting', async () => {
      const adapter = scripted('echo x >> started; sleep 300', { maxConcurrent: 1 });
      const controller = new AbortController();
      const first = failure(adapter.chat(call()));
      await eventually(() => Promise.resolve(safely(() => readFileSync(path.join(dir, 'started')))));
      const second = failure(adapter.chat(call({ signal: controller.signal })));
      controller.abort();
      expect(await second).toMatchObject({ fault: 'aborted', mayBeBilled: false });
      await adapter.close();
      await first;
      expect(readFileSync(path.join(dir, 'started'), 'utf8')).toBe('x\n');
    });
  });

  describe('chatStream', () => {
    it('relays chunks as they come', async () => {
      const adapter = scripted(
        `cat > input.json; ${say(chunk('Hel'))}; while [ ! -e go ]; do sleep 0.02; done; ${say(chunk('lo', 'stop'), { ...HEAD, choices: [], usage: USAGE })}`,
      );
      const stream = await adapter.chatStream(call());
      const iterator = stream.chunks[Symbol.asyncIterator]();
      const first = await iterator.next();
      expect((first.value as ChatChunk).chunk).toEqual(chunk('Hel'));
      await scripted(`touch go; ${say(COMPLETION)}`).chat(call());
      const rest: unknown[] = [];
      for (let next = await iterator.next(); !next.done; next = await iterator.next())
        rest.push(next.value.chunk);
      expect(rest).toHaveLength(2);
      expect(stream.report()).toMatchObject({
        usage: { promptTokens: 7 },
        finishReason: 'stop',
        warnings: [],
      });
      expect(JSON.parse(readFileSync(path.join(dir, 'input.json'), 'utf8'))).toMatchObject({
        stream: true,
        request: { stream: true, stream_options: { include_usage: true } },
      });
    });

    it.each([
      ['on one line', JSON.stringify(COMPLETION)],
      ['on many', JSON.stringify(COMPLETION, null, 2)],
    ])('makes one chunk of a whole completion %s, and says so', async (_how, text) => {
      const stream = await scripted(`printf '%s' '${text}'`).chatStream(call());
      const chunks = (await collect(stream)).map((item) => item.chunk);
      expect(chunks).toEqual([
        {
          ...HEAD,
          object: 'chat.completion.chunk',
          choices: [{ index: 0, delta: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
        },
        { ...HEAD, object: 'chat.completion.chunk', choices: [], usage: USAGE },
      ]);
      expect(stream.report()).toMatchObject({
        usage: { promptTokens: 7, completionTokens: 3 },
        warnings: [expect.stringContaining('does not stream')],
      });
    });

    it('skips and counts lines that are no chunks', async () => {
      const stream = await scripted(
        `${say(chunk('a'))}; echo; echo oops; ${say(chunk('b', 'stop'))}`,
      ).chatStream(call());
      expect(await collect(stream)).toHaveLength(2);
      expect(stream.malformedLines()).toBe(1);
    });

    it.each(
      rows([
        ['an end without a finish reason', say(chunk('a')), { fault: 'cut', mayBeBilled: true }],
        ['an exit code', `${say(chunk('a', 'stop'))}; exit 1`, { fault: 'cut', mayBeBilled: true }],
        [
          'an error',
          `${say(chunk('a'))}; ${ERROR({ code: 'rate_limited', billed: false })}; sleep 300`,
          { fault: 'rate_limited', mayBeBilled: true },
        ],
        ['a timeout', `${say(chunk('a'))}; sleep 300`, { fault: 'overdue' }, { timeoutMs: 1000 }],
        [
          'too much',
          `${say(chunk('a'))}; while true; do ${say(chunk('a'))}; done`,
          { fault: 'too_large' },
          { maxOutputBytes: 2000 },
        ],
      ]),
    )('fails in the middle by %s', async (_what, shell, expected, overrides) => {
      expect(await failure(streamed(scripted(shell, overrides)))).toMatchObject(expected);
    });

    it('ends a script that falls silent', async () => {
      const { timeouts } = catalogModel();
      const model = catalogModel({ timeouts: { ...timeouts, idleMs: 100 } });
      const stream = await scripted(`${say(chunk('a'))}; sleep 300`).chatStream(call({ model }));
      expect(await failure(collect(stream))).toMatchObject({ fault: 'timeout', mayBeBilled: true });
    });

    it('ends the script when nobody reads on', async () => {
      const stream = await scripted(
        `sleep 300 & echo $$ > pids; echo $! >> pids; ${say(chunk('a'))}; wait`,
      ).chatStream(call());
      for await (const _chunk of stream.chunks) break;
      await allGone(pidsIn('pids'));
    });

    it('reads a script no faster than its reader', async () => {
      const line = say(chunk('x'.repeat(1000)));
      const shell = `i=0; while [ $i -lt 400 ]; do ${line}; i=$((i+1)); echo $i > count; done; ${say(chunk('', 'stop'))}`;
      const stream = await scripted(shell, { maxOutputBytes: 10_000_000 }).chatStream(call());
      const iterator = stream.chunks[Symbol.asyncIterator]();
      await iterator.next();
      let before = -1;
      await eventually(() => {
        const [count = 0] = safely(() => pidsIn('count')) ?? [];
        const isStill = count === before && count > 0;
        before = count;
        return Promise.resolve(isStill || undefined);
      });
      expect(before).toBeLessThan(400);
      let chunks = 1;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) chunks += 1;
      expect(chunks).toBe(401);
    });
  });

  describe('embed', () => {
    const embedding: EmbedCall = {
      model: catalogModel({ embedding: { maxBatch: 10, dimensions: 2 } } as never),
      inputs: ['one', 'two'],
      encoding: 'float',
      extra: {},
      signal: new AbortController().signal,
      requestId: 'req_2',
    };

    it('takes a list of vectors', async () => {
      const data = [
        { index: 1, embedding: [3, 4] },
        { index: 0, embedding: [1, 2] },
      ];
      const adapter = scripted(`cat > input.json; ${say({ data, usage: { prompt_tokens: 2 } })}`);
      const result = await adapter.embed?.(embedding);
      expect(result).toMatchObject({
        vectors: [
          [1, 2],
          [3, 4],
        ],
        report: { usage: { promptTokens: 2 } },
      });
      expect(JSON.parse(readFileSync(path.join(dir, 'input.json'), 'utf8'))).toMatchObject({
        version: 1,
        kind: 'embedding',
        request: { model: 'test-model-1', input: ['one', 'two'], encoding_format: 'float' },
      });
    });

    it('is absent where the script does not do it', () => {
      expect(scripted('true', { kinds: ['chat'] }).embed).toBeUndefined();
    });
  });
});

function safely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
