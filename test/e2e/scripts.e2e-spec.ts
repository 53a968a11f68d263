import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startApp, type TestApp } from '../support/app';
import { eventually } from '../support/eventually';
import { isRunning } from '../support/script/process-state';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const EXAMPLE = path.resolve('examples/script-provider.mjs');
const MODEL = 'openai/gpt-4o-mini';
const ANTHROPIC = 'anthropic/claude-haiku-5-5';
const VECTORS = 'openai/text-embedding-3-small';
const HELLO = [{ role: 'user', content: 'Hello' }];

interface Failure {
  readonly error: { code: string; message: string; details?: Record<string, unknown> };
}

/** Prints what it was started with as its answer. */
const TELL = `
let input = '';
for await (const piece of process.stdin) input += piece;
console.log(JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'told', choices: [{
  index: 0, finish_reason: 'stop', message: { role: 'assistant', content: JSON.stringify({ env: process.env, input: JSON.parse(input) }) },
}] }));`;
/** Begins an answer, starts a child, and then ignores whoever asks it to end. */
const HANG = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
process.on('SIGTERM', () => undefined);
const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'ignore' });
writeFileSync('pids', JSON.stringify([process.pid, child.pid]));
console.log(JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [
  { index: 0, delta: { role: 'assistant', content: 'Wait' }, finish_reason: null } ] }));
setInterval(() => 0, 1000);`;

describe('scripts', () => {
  let truth: TruthProvider;
  let dir: string;
  let app: TestApp;
  const opened: TestApp[] = [];

  beforeAll(async () => {
    truth = await startTruthProvider();
    process.env.SCRIPT_E2E_KEY = 'allowed';
    process.env.SCRIPT_E2E_OTHER = 'not-allowed';
    process.env.OPENAI_API_KEY = 'sk-for-the-script';
    process.env.OPENAI_BASE_URL = truth.url;
    dir = mkdtempSync(path.join(tmpdir(), 'lattice-scripts-'));
    writeFileSync(path.join(dir, 'tell.mjs'), TELL);
    writeFileSync(path.join(dir, 'hang.mjs'), HANG);
    app = await start(`
openai: { command: [node, ${EXAMPLE}], env: [OPENAI_API_KEY, OPENAI_BASE_URL], kinds: [chat, embedding] }
anthropic: { command: [node, tell.mjs], env: [SCRIPT_E2E_KEY] }
xai: { command: [node, hang.mjs] }`);
  });

  afterEach(async () => {
    for (const one of opened) {
      expect(
        await eventually(
          async () => ((await one.database.query('select 1 from holds')) as []).length === 0 || undefined,
        ),
      ).toBe(true);
      expect(await one.reconcile()).toEqual([]);
    }
  });

  afterAll(async () => {
    for (const name of ['SCRIPT_E2E_KEY', 'SCRIPT_E2E_OTHER', 'OPENAI_API_KEY', 'OPENAI_BASE_URL'])
      delete process.env[name];
    await Promise.all(opened.map((one) => one.close()));
    await truth.stop();
    rmSync(dir, { recursive: true });
  });

  async function start(scripts: string, env: NodeJS.ProcessEnv = {}): Promise<TestApp> {
    writeFileSync(path.join(dir, 'scripts.yaml'), scripts);
    const started = await startApp({ LATTICE_CONFIG_DIR: dir, ...env });
    opened.push(started);
    return started;
  }

  const ask = (body: object, headers: Record<string, string> = {}, to = app) =>
    to.call<{ choices: { message: { content: string } }[] } & Failure>('POST', '/v1/chat/completions', {
      body: { model: MODEL, messages: HELLO, ...body },
      headers: { 'x-lattice-fallback': 'none', ...headers },
    });
  const linesOf = (answer: { headers: Headers }, of = app) =>
    of.lines(answer.headers.get('x-lattice-request-id') ?? '');

  it('answer in place of a missing key, say so, and are booked like any other call', async () => {
    await truth.script({ answer: 'By script', usage: { promptTokens: 11, completionTokens: 5 } });
    const answer = await ask({});
    expect([answer.status, answer.body.choices[0]?.message.content]).toEqual([200, 'By script']);
    expect(answer.headers.get('x-lattice-execution-mode')).toBe('script');
    expect(answer.headers.get('x-lattice-fallback-reason')).toBe('missing_credentials');
    expect(await linesOf(answer)).toMatchObject([
      {
        provider: 'openai',
        outcome: 'succeeded',
        usageSource: 'provider',
        promptTokens: 11,
        completionTokens: 5,
      },
    ]);
    const decision = await app.call<{ record: object }>(
      'GET',
      `/api/v1/decisions/${answer.headers.get('x-lattice-decision-id') ?? ''}`,
    );
    expect(JSON.stringify(decision.body)).toContain('"scripted":["openai"]');
  });

  it('stream what comes, with the way of execution in the note', async () => {
    await truth.script({ answer: 'one two three four', chunks: 4 });
    const response = await fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: MODEL, messages: HELLO, stream: true }),
    });
    expect(response.headers.get('x-lattice-execution-mode')).toBe('script');
    const text = await response.text();
    const events = text
      .split('\n')
      .filter((line) => line.startsWith('data: {'))
      .map(
        (line) =>
          JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[]; lattice?: object },
      );
    expect(events.map((event) => event.choices[0]?.delta.content ?? '').join('')).toBe('one two three four');
    expect(events.filter((event) => event.choices[0]?.delta.content)).toHaveLength(4);
    expect(events.at(-1)?.lattice).toMatchObject({
      executionMode: 'script',
      fallbackReason: 'missing_credentials',
    });
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
  });

  it('get the protocol on standard input, and of the environment what is allowed only', async () => {
    const answer = await ask({ model: ANTHROPIC, temperature: 0.5 });
    const told = JSON.parse(answer.body.choices[0]?.message.content ?? '') as { env: object; input: object };
    expect(
      Object.keys(told.env).filter((name) => !['PATH', 'HOME', 'LANG', 'TMPDIR'].includes(name)),
    ).toEqual(['SCRIPT_E2E_KEY']);
    expect(told.input).toMatchObject({
      version: 1,
      kind: 'chat',
      model: expect.stringContaining('claude-haiku-5-5') as string,
      request: { messages: HELLO, temperature: 0.5, stream: false },
      requestId: answer.headers.get('x-lattice-request-id'),
    });
    // It told no usage.
    expect(await linesOf(answer)).toMatchObject([{ usageSource: 'estimated', outcome: 'succeeded' }]);
  });

  it('that cannot stream give one chunk and a warning', async () => {
    const stream = await app.openai.chat.completions.create({
      model: ANTHROPIC,
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
    });
    const chunks: { lattice?: { warnings?: string[] } }[] = [];
    for await (const chunk of stream) chunks.push(chunk as object);
    expect(JSON.stringify(chunks)).toContain('SCRIPT_E2E_KEY');
    expect(chunks.at(-1)?.lattice?.warnings).toEqual([expect.stringContaining('does not stream')]);
  });

  it('make embeddings', async () => {
    const answer = await app.call('POST', '/v1/embeddings', { body: { model: VECTORS, input: ['Hello'] } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-lattice-execution-mode')).toBe('script');
    const other = await app.call<Failure>('POST', '/v1/embeddings', {
      body: { model: 'cohere/embed-v4.0', input: ['Hello'], lattice: { fallback: 'none', useDirect: false } },
    });
    expect(other).toMatchObject({ status: 501, body: { error: { code: 'REQUIRES_IMPLEMENTATION' } } });
  });

  it('end with the client who hangs up, whole group, and are booked', async () => {
    const controller = new AbortController();
    const response = await fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'xai/grok-4.5', messages: HELLO, stream: true, max_tokens: 20 }),
      signal: controller.signal,
    });
    expect(response.status).toBe(200);
    const pids = JSON.parse(readFileSync(path.join(dir, 'pids'), 'utf8')) as number[];
    expect(pids.map(isRunning)).toEqual([true, true]);
    controller.abort();
    await eventually(() => Promise.resolve(pids.some(isRunning) ? undefined : true), 20_000);
    const [line] = await eventually(async () => {
      const lines = await linesOf(response);
      return lines.length > 0 ? lines : undefined;
    });
    expect(line).toMatchObject({ outcome: 'cancelled', usageSource: 'upper_bound' });
  });

  it('leave nothing running when the service stops', async () => {
    const other = await start('xai: { command: [node, hang.mjs] }');
    const response = await fetch(`${other.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${other.admin.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'xai/grok-4.5', messages: HELLO, stream: true, max_tokens: 20 }),
    });
    expect(response.status).toBe(200);
    const pids = JSON.parse(readFileSync(path.join(dir, 'pids'), 'utf8')) as number[];
    expect(pids.map(isRunning)).toEqual([true, true]);
    opened.splice(opened.indexOf(other), 1);
    await other.close();
    await eventually(() => Promise.resolve(pids.some(isRunning) ? undefined : true));
    await response.text().catch(() => undefined);
  });

  describe('beside a key', () => {
    let keyed: TestApp;

    beforeAll(async () => {
      keyed = await start(`openai: { command: [node, ${EXAMPLE}], env: [OPENAI_API_KEY, OPENAI_BASE_URL] }`, {
        OPENAI_API_KEY: 'direct-key',
        OPENAI_BASE_URL: truth.url,
        XAI_API_KEY: 'k',
        XAI_BASE_URL: 'http://127.0.0.1:1/v1',
      });
    });

    it('are not used unless the request says so, in body or header', async () => {
      const direct = await ask({}, {}, keyed);
      expect(direct.headers.get('x-lattice-execution-mode')).toBe('direct');
      expect(direct.headers.has('x-lattice-fallback-reason')).toBe(false);
      const ways = [
        await ask({ lattice: { useDirect: false } }, {}, keyed),
        await ask({}, { 'x-lattice-use-direct': 'false' }, keyed),
        await ask({ lattice: { useDirect: false } }, { 'x-lattice-use-direct': 'true' }, keyed),
      ].map((answer) => [
        answer.status,
        answer.headers.get('x-lattice-execution-mode'),
        answer.headers.has('x-lattice-fallback-reason'),
      ]);
      expect(ways).toEqual([
        [200, 'script', false],
        [200, 'script', false],
        [200, 'direct', false],
      ]);
    });

    it('never stand in for an upstream that fails', async () => {
      await truth.script({ fault: { kind: 'status', status: 401 } });
      const answer = await ask({}, {}, keyed);
      expect([answer.status, answer.body.error.code]).toEqual([502, 'PROVIDER_REJECTED']);
      expect(await linesOf(answer, keyed)).toHaveLength(1);
    });

    it('missing, are never replaced by a direct call', async () => {
      const answer = await ask({ model: 'xai/grok-4.5', lattice: { useDirect: false } }, {}, keyed);
      expect([answer.status, answer.body.error]).toEqual([
        501,
        expect.objectContaining({
          code: 'REQUIRES_IMPLEMENTATION',
          details: expect.objectContaining({ provider: 'xai', file: 'scripts.yaml' }) as object,
        }),
      ]);
    });

    it('are all that routing chooses from when direct calls are not wanted', async () => {
      const answer = await ask({ model: 'auto', lattice: { useDirect: false } }, {}, keyed);
      expect([answer.status, answer.headers.get('x-lattice-provider')]).toEqual([200, 'openai']);
      expect(answer.headers.get('x-lattice-execution-mode')).toBe('script');
    });

    it.each([
      [{ lattice: { useDirect: 'no' } }, {}, 'lattice.useDirect'],
      [{}, { 'x-lattice-use-direct': '0' }, 'x-lattice-use-direct'],
    ])('are asked for by true or false: %j %j', async (body, headers, param) => {
      expect(await ask(body, headers, keyed)).toMatchObject({ status: 400, body: { error: { param } } });
    });
  });

  it('are all there is with LATTICE_USE_DIRECT=false', async () => {
    const off = await start(
      `openai: { command: [node, ${EXAMPLE}], env: [OPENAI_API_KEY, OPENAI_BASE_URL] }`,
      {
        LATTICE_USE_DIRECT: 'false',
        OPENAI_API_KEY: 'direct-key',
        OPENAI_BASE_URL: truth.url,
        XAI_API_KEY: 'k',
      },
    );
    const answer = await ask({ lattice: { useDirect: true } }, {}, off);
    expect([answer.status, answer.headers.get('x-lattice-execution-mode')]).toEqual([200, 'script']);
    expect(answer.headers.has('x-lattice-fallback-reason')).toBe(false);
    const refused = await ask({ model: 'xai/grok-4.5' }, {}, off);
    expect(refused).toMatchObject({ status: 501, body: { error: { code: 'REQUIRES_IMPLEMENTATION' } } });
    const { body } = await off.call<{ data: { provider: string }[] }>('GET', '/api/v1/providers');
    const states = Object.fromEntries(body.data.map((one) => [one.provider, one]));
    expect(states.openai).toMatchObject({ state: 'available', executionMode: 'script' });
    expect(states.xai).toMatchObject({ state: 'unavailable', reason: 'direct_off', executionMode: null });
  });

  it('whose file is wrong stop the start, naming it', async () => {
    await expect(start('openai: { command: [] }')).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/scripts\.yaml: openai\.command: /) as string,
    });
  });
});
