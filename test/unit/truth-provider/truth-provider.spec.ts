import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import {
  type Behaviour,
  startTruthProvider,
  totalsOf,
  type TruthProvider,
} from '../../support/truth-provider/truth-provider';

const ask = (text: string, extra: object = {}) => ({
  model: 'truth-model',
  messages: [{ role: 'user', content: text }],
  ...extra,
});

/** A request whose behaviour travels with it. */
const scripted = (behaviour: Behaviour, extra: object = {}) =>
  ask(`hi [[script:${JSON.stringify(behaviour)}]]`, extra);

describe('the truth provider', () => {
  let provider: TruthProvider;
  const stream = { stream: true, stream_options: { include_usage: true } };

  const post = (body: object, init: RequestInit = {}) =>
    fetch(`${provider.url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(body),
      ...init,
      headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
    });

  /** Everything that arrived, and whether the connection broke. */
  async function read(response: Response): Promise<{ text: string; broke: boolean }> {
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const part of response.body ?? [])
        text += decoder.decode(part as Uint8Array, { stream: true });
      return { text, broke: false };
    } catch {
      return { text, broke: true };
    }
  }

  const last = async () =>
    (await provider.waitFor((all) => all.length > 0 && all.at(-1)?.outcome !== 'open')).at(-1);

  beforeAll(async () => {
    provider = await startTruthProvider({ models: ['truth-model', 'truth-mini'] });
  });
  afterEach(() => provider.clearScripts());
  afterAll(() => provider.stop());

  it('lists its models', async () => {
    const response = await fetch(`${provider.url}/models`);
    expect(await response.json()).toMatchObject({
      object: 'list',
      data: [{ id: 'truth-model' }, { id: 'truth-mini' }],
    });
  });

  it('answers as JSON and logs what it charges', async () => {
    const response = await post(ask('one two three'), { headers: { 'x-request-id': 'req-1' } });
    const body = (await response.json()) as { usage: object; choices: { message: { content: string } }[] };
    expect(body.choices[0]?.message.content).toBe('This is the answer of the truth provider.');
    expect(body.usage).toMatchObject({ prompt_tokens: 6, completion_tokens: 9, total_tokens: 15 });
    expect(await last()).toMatchObject({
      requestId: 'req-1',
      promptTokens: 6,
      completionTokens: 9,
      outcome: 'completed',
      reportedUsage: body.usage,
      body: { messages: [{ content: 'one two three' }] },
    });
  });

  it('streams role, content, finish reason, usage and [DONE], and the bytes in the log are the bytes sent', async () => {
    const { text } = await read(await post(scripted({ answer: 'a b c d', chunks: 2 }, stream)));
    const events = text
      .trim()
      .split('\n\n')
      .map((line) => line.replace('data: ', ''));
    expect(events.at(-1)).toBe('[DONE]');
    const parsed = events.slice(0, -1).map(
      (line) =>
        JSON.parse(line) as {
          choices: { delta: object; finish_reason: string | null }[];
          usage: object | null;
        },
    );
    expect(parsed.map((event) => event.choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '' },
      { content: 'a b' },
      { content: ' c d' },
      {},
      undefined,
    ]);
    expect(parsed[3]?.choices[0]?.finish_reason).toBe('stop');
    expect(parsed[4]?.usage).toMatchObject({ completion_tokens: 4 });
    expect(await last()).toMatchObject({
      sentBytes: Buffer.byteLength(text),
      sentChunks: 2,
      completionTokens: 4,
      outcome: 'completed',
    });
  });

  it('serves queued scripts in order, those of a model before the common ones', async () => {
    await provider.script(
      { answer: 'first', times: 2 },
      { answer: 'second' },
      { model: 'truth-mini', answer: 'mini' },
    );
    const answers: string[] = [];
    for (const model of ['truth-model', 'truth-mini', 'truth-mini', 'truth-model', 'truth-model']) {
      const body = (await (await post({ ...ask('go'), model })).json()) as {
        choices: { message: { content: string } }[];
      };
      answers.push(body.choices[0]?.message.content ?? '');
    }
    expect(answers).toEqual([
      'first',
      'mini',
      'first',
      'second',
      'This is the answer of the truth provider.',
    ]);
  });

  it('takes the steps of a named script one per attempt', async () => {
    await provider.script({
      name: 'flaky',
      answer: 'ok',
      steps: [{ fault: { kind: 'status', status: 429, retryAfter: 2 } }, {}],
    });
    const refused = await post(ask('[[script:flaky]]'));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '2']);
    await refused.text();
    expect(await last()).toMatchObject({ promptTokens: 0, completionTokens: 0, outcome: 'rejected' });
    expect((await post(ask('[[script:flaky]]'))).status).toBe(200);
  });

  it('asks for tools until the scripted number of rounds is reached', async () => {
    const behaviour: Behaviour = {
      toolCalls: [
        { name: 'current_time', arguments: { zone: 'UTC' }, id: 'call_1' },
        { name: 'other', id: null },
      ],
      toolRounds: 1,
    };
    const first = (await (await post(scripted(behaviour))).json()) as {
      choices: { message: { content: null; tool_calls: object[] }; finish_reason: string }[];
    };
    const { message, finish_reason } = first.choices[0] ?? { message: undefined, finish_reason: '' };
    expect(finish_reason).toBe('tool_calls');
    expect(message?.content).toBeNull();
    expect(message?.tool_calls).toEqual([
      { id: 'call_1', type: 'function', function: { name: 'current_time', arguments: '{"zone":"UTC"}' } },
      { type: 'function', function: { name: 'other', arguments: '{}' } },
    ]);
    const request = scripted(behaviour);
    const second = (await (
      await post({ ...request, messages: [...request.messages, message] })
    ).json()) as typeof first;
    expect(second.choices[0]?.finish_reason).toBe('stop');
  });

  it('streams tool calls in pieces that add up to the arguments', async () => {
    const { text } = await read(
      await post(scripted({ toolCalls: [{ name: 'sum', arguments: { values: [1, 2, 3] } }] }, stream)),
    );
    const pieces = [...text.matchAll(/"arguments":("(?:[^"\\]|\\.)*")/g)].map(
      ([, json]) => JSON.parse(json ?? '""') as string,
    );
    expect(JSON.parse(pieces.join(''))).toEqual({ values: [1, 2, 3] });
  });

  it('charges what the script says, whatever it reports', async () => {
    const usage = { promptTokens: 100, completionTokens: 50, cachedTokens: 40, report: { total_tokens: 7 } };
    const body = (await (await post(scripted({ usage }))).json()) as { usage: object };
    expect(body.usage).toMatchObject({ prompt_tokens: 100, completion_tokens: 50, total_tokens: 7 });
    expect(await last()).toMatchObject({ promptTokens: 100, cachedTokens: 40, completionTokens: 50 });
    const silent = await read(await post(scripted({ usage: { report: 'omit' } }, stream)));
    expect(silent.text).not.toContain('prompt_tokens');
  });

  it('charges every choice of n and cuts at max_tokens', async () => {
    const body = (await (await post(scripted({ answer: 'a b c d e' }, { n: 3, max_tokens: 2 }))).json()) as {
      choices: { finish_reason: string }[];
    };
    expect(body.choices.map((choice) => choice.finish_reason)).toEqual(['length', 'length', 'length']);
    expect(await last()).toMatchObject({ completionTokens: 6 });
  });

  it('leaves the tools out and cuts the text when there is no room for both', async () => {
    const behaviour = { answer: 'one two three four', toolCalls: [{ name: 'look' }] };
    const choiceAt = async (limit: number): Promise<unknown> => {
      const answer = await post(scripted(behaviour, { max_tokens: limit }));
      return ((await answer.json()) as { choices: unknown[] }).choices[0];
    };
    expect(await choiceAt(20)).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: 'one two three four', tool_calls: [{ function: { name: 'look' } }] },
    });
    const cut = await choiceAt(3);
    expect(cut).toMatchObject({ finish_reason: 'length', message: { content: 'one two three' } });
    expect(JSON.stringify(cut)).not.toContain('tool_calls');
  });

  it('cuts before the first byte, after chunks and in the middle of an event', async () => {
    await expect(post(scripted({ fault: { kind: 'cut' } }, stream))).rejects.toThrow();
    expect(await last()).toMatchObject({ outcome: 'cut', sentBytes: 0, completionTokens: 0 });

    const answer = 'a b c d';
    const cut = await read(
      await post(scripted({ answer, chunks: 4, fault: { kind: 'cut', afterChunks: 2 } }, stream)),
    );
    expect(cut.broke).toBe(true);
    expect(cut.text.split('\n\n')).toHaveLength(4);
    expect(await last()).toMatchObject({
      outcome: 'cut',
      completionTokens: 2,
      sentBytes: Buffer.byteLength(cut.text),
    });

    const fault = { kind: 'cut', afterChunks: 1, midEvent: true } as const;
    const half = await read(await post(scripted({ answer, chunks: 4, fault }, stream)));
    expect(half.text.endsWith('\n\n')).toBe(false);
    expect(await last()).toMatchObject({ outcome: 'cut', completionTokens: 2 });
  });

  it('breaks a JSON body in the middle', async () => {
    const response = await read(
      await post(scripted({ answer: 'a b c d', fault: { kind: 'cut', afterChunks: 1 } })),
    );
    expect(response.broke).toBe(true);
    expect(await last()).toMatchObject({ outcome: 'cut', completionTokens: 2 });
  });

  it.each([
    [{ kind: 'clean-eof', afterChunks: 1 }, 'truncated', 1],
    [{ kind: 'clean-eof' }, 'truncated', 2],
    [{ kind: 'error-frame', afterChunks: 1 }, 'truncated', 1],
    [{ kind: 'malformed' }, 'completed', 2],
    [{ kind: 'no-done' }, 'completed', 2],
    [{ kind: 'error-body' }, 'rejected', 0],
    [{ kind: 'content-type' }, 'rejected', 0],
    [{ kind: 'empty' }, 'truncated', 0],
  ] as const)('plays %j', async (fault, outcome, completionTokens) => {
    const { broke, text } = await read(await post(scripted({ answer: 'a b', chunks: 2, fault }, stream)));
    expect(broke).toBe(false);
    expect(text.includes('[DONE]')).toBe(fault.kind === 'malformed');
    expect(text.includes('finish_reason":"stop')).toBe(outcome === 'completed');
    expect(await last()).toMatchObject({ outcome, completionTokens });
  });

  it.each(['stall', 'endless'] as const)(
    'logs the hang-up of the client on a stream that would %s',
    async (kind) => {
      const fault = kind === 'stall' ? { kind, afterChunks: 1 } : { kind };
      const client = new AbortController();
      const response = await post(scripted({ answer: 'a b', chunks: 2, fault }, stream), {
        signal: client.signal,
      });
      const reading = read(response);
      await provider.waitFor((all) => (all.at(-1)?.completionTokens ?? 0) >= (kind === 'stall' ? 1 : 5));
      client.abort();
      expect((await reading).broke).toBe(true);
      expect(await last()).toMatchObject({ outcome: 'client_closed' });
    },
  );

  it('waits before the first byte as long as it is told, or until the client leaves', async () => {
    const request = post(scripted({ delayMs: 600_000 }), { signal: AbortSignal.timeout(50) });
    await expect(request).rejects.toThrow();
    expect(await last()).toMatchObject({ outcome: 'client_closed', sentBytes: 0 });
  });

  it('refuses a request that names an unknown script, so that a typing error is seen', async () => {
    const response = await post(ask('[[script:nobody]]'));
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('nobody')]);
  });

  it('keeps its log over a kill in the middle of a stream and comes back on the same port', async () => {
    const own = await startTruthProvider();
    try {
      const body = JSON.stringify(
        scripted({ answer: 'a b', chunks: 2, fault: { kind: 'stall', afterChunks: 1 } }, stream),
      );
      const reading = read(await fetch(`${own.url}/chat/completions`, { method: 'POST', body }));
      await own.waitFor((all) => all[0]?.completionTokens === 1);
      await own.kill('SIGKILL');
      expect((await reading).broke).toBe(true);
      const { url } = own;
      await own.restart();
      expect(own.url).toBe(url);
      await fetch(`${url}/chat/completions`, { method: 'POST', body: JSON.stringify(ask('again')) });
      const attempts = await own.endedAttempts(1);
      expect(attempts.map((attempt) => attempt.outcome)).toEqual(['open', 'completed']);
      expect(totalsOf(attempts).completionTokens).toBe(10);
    } finally {
      await own.stop();
    }
  });

  it('dies with its parent', async () => {
    const server = path.join(__dirname, '../../support/truth-provider/server/server.mjs');
    const settings = JSON.stringify({ port: 0, logFile: '/dev/null' });
    const parent = spawn(process.execPath, [
      '-e',
      `const child = require('node:child_process').spawn(process.execPath, ${JSON.stringify([server, settings])}, { stdio: ['pipe', 'pipe', 'inherit'] });
       child.stdout.once('data', (port) => process.stdout.write(String(port)));`,
    ]);
    const [port] = (await once(parent.stdout, 'data')) as [Buffer];
    const url = `http://127.0.0.1:${Number(port.toString())}/v1/models`;
    expect((await fetch(url)).status).toBe(200);
    const exit = once(parent, 'exit');
    parent.kill('SIGKILL');
    await exit;
    await expect(untilRefused(url)).resolves.toBe(true);
  });
});

async function untilRefused(url: string): Promise<boolean> {
  const deadline = performance.now() + 5000;
  while (performance.now() < deadline) {
    const response = await fetch(url, { headers: { connection: 'close' } }).catch(() => undefined);
    if (!response) return true;
    await response.text();
  }
  return false;
}
