import { readFileSync } from 'node:fs';
import path from 'node:path';
import { newId, type RequestContext } from '../../src/common/index';
import { ToolRegistry, ToolRunner } from '../../src/tools/index';
import { type Account, startApp, type TestApp } from '../support/app';
import { eventually } from '../support/eventually';
import { aContext } from '../support/factories';
import { ComfyUiSimulator, IMAGE } from '../support/tools/comfyui-simulator';
import { type OllamaSimulator, startOllama } from '../support/tools/ollama-simulator';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';
import { fromApiId } from '../../src/common/index';

interface ToolView {
  readonly name: string;
  readonly isAvailable: boolean;
  readonly unavailableReason: string | null;
}

describe('tools', () => {
  let truth: TruthProvider;
  let ollama: OllamaSimulator;
  let comfyUi: ComfyUiSimulator & { readonly url: string };
  let app: TestApp;

  beforeAll(async () => {
    [truth, ollama, comfyUi] = await Promise.all([
      startTruthProvider(),
      startOllama(),
      ComfyUiSimulator.start(),
    ]);
    app = await startApp({
      OPENAI_BASE_URL: truth.url,
      OLLAMA_BASE_URL: ollama.url,
      COMFYUI_URL: comfyUi.url,
    });
  });

  afterAll(async () => {
    await app.close();
    await Promise.all([truth.stop(), ollama.stop(), comfyUi.stop()]);
  });

  afterEach(() => truth.clearScripts());

  /** The result that the model was given for its one call. */
  async function resultOf(name: string, args: object, account: Account = app.admin): Promise<string> {
    await truth.clearScripts();
    await truth.script({
      times: 'always',
      toolRounds: 1,
      toolCalls: [{ name, arguments: args }],
      answer: 'Done.',
    });
    const answer = await app.chat(account.key, { lattice: { tools: [name] } });
    expect(answer.status).toBe(200);
    const messages = (await truth.attempts()).at(-1)?.body.messages as { role: string; content: string }[];
    expect(messages.at(-1)?.role).toBe('tool');
    return messages.at(-1)?.content ?? '';
  }

  const contextOf = (account: Account, more: Partial<RequestContext> = {}): RequestContext =>
    aContext({ principal: { userId: fromApiId('usr', account.userId) ?? '', role: 'operator' }, ...more });

  it('are listed with what they are missing', async () => {
    await eventually(async () => {
      const { body } = await app.call<ToolView>('GET', '/api/v1/tools/comfyui');
      return body.isAvailable || undefined;
    });
    const { body } = await app.call<{ data: ToolView[] }>('GET', '/api/v1/tools');
    expect(
      body.data.map(({ name, isAvailable, unavailableReason }) => [name, isAvailable, unavailableReason]),
    ).toEqual([
      ['comfyui', true, null],
      ['current_time', true, null],
      ['file', true, null],
      ['http', false, 'HTTP_TOOL_HOSTS names no host'],
      ['ollama', true, null],
    ]);
    const one = await app.call('GET', '/api/v1/tools/file');
    expect(one.body).toMatchObject({ name: 'file', parameters: { required: ['action'] } });
    const missing = await app.call('GET', '/api/v1/tools/nothing');
    expect(missing.status).toBe(404);
    expect((await app.call('GET', '/api/v1/tools', { credential: null })).status).toBe(401);
  });

  it('are refused to a request when they cannot be called', async () => {
    const refused = async (name: string) => {
      const { status, text } = await app.chat(app.admin.key, { lattice: { tools: [name] } });
      return [status, text];
    };
    expect(await refused('http')).toEqual([400, expect.stringContaining('HTTP_TOOL_HOSTS names no host')]);
    const [status, text] = await refused('nothing');
    expect(status).toBe(400);
    expect(text).toContain('known tools: comfyui, current_time, file, ollama');
  });

  it('of one owner are there for nobody else', async () => {
    const [owner, stranger] = [await app.register(), await app.register()];
    const ownerId = fromApiId('usr', owner.userId);
    const registry = app.app.get(ToolRegistry);
    const parameters = { type: 'object', properties: {} };
    const run = () => Promise.resolve('my own');
    registry.register({ name: 'own_tool', description: 'Mine', parameters, ownerId, run });
    expect(await resultOf('own_tool', {}, owner)).toBe('my own');
    const view = async ({ key }: Account) =>
      (await app.call('GET', '/api/v1/tools/own_tool', { credential: key })).status;
    expect([await view(owner), await view(stranger), await view(app.admin)]).toEqual([200, 404, 404]);
    const chat = await app.chat(stranger.key, { lattice: { tools: ['own_tool'] } });
    expect([chat.status, chat.text]).toEqual([400, expect.stringContaining('There is no tool')]);
    expect(chat.text).not.toMatch(/known tools:.*own_tool/);
    registry.unregister('own_tool', ownerId);
    expect(await view(owner)).toBe(404);
  });

  it('keep the files of each user, and those of projects, apart', async () => {
    const [ada, bob] = [await app.register(), await app.register()];
    const write = { action: 'write', path: 'notes/a.txt', content: 'hello' };
    expect(JSON.parse(await resultOf('file', write, ada))).toEqual({ path: 'notes/a.txt', bytes: 5 });
    const stored = path.join(
      app.dataDir,
      'files',
      'users',
      fromApiId('usr', ada.userId) ?? '',
      'notes/a.txt',
    );
    expect(readFileSync(stored, 'utf8')).toBe('hello');
    const read = { action: 'read', path: 'notes/a.txt' };
    expect(JSON.parse(await resultOf('file', read, ada))).toMatchObject({ content: 'hello' });
    expect(await resultOf('file', read, bob)).toBe('Error: There is no such file.');
    expect(await resultOf('file', { action: 'read', path: '../../../secret' }, bob)).toContain(
      'not possible',
    );
  });

  it('draw images into the project’s files', async () => {
    const work = { projectId: newId() };
    const call = { name: 'comfyui', arguments: JSON.stringify({ prompt: 'a red fox' }) };
    const ctx = contextOf(app.admin, { work });
    const { content } = await app.app.get(ToolRunner).run(ctx, call, ctx.signal);
    const { file, bytes } = JSON.parse(content) as { file: string; bytes: number };
    expect(bytes).toBe(IMAGE.length);
    expect(readFileSync(path.join(app.dataDir, 'files', work.projectId, file)).equals(IMAGE)).toBe(true);
  });

  describe('ask local models through the metered door', () => {
    it('for the caller, in a request and a usage line of its own', async () => {
      const user = await app.register();
      const args = { model: 'tiny:1b', prompt: 'What is a fox?', system: 'Be brief.' };
      const result = JSON.parse(await resultOf('ollama', args, user)) as unknown;
      expect(result).toEqual({ model: 'local/tiny:1b', text: 'A fox is an animal.' });
      expect(ollama.calls.at(-1)?.body).toMatchObject({
        model: 'tiny:1b',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'What is a fox?' },
        ],
      });
      const lines = (await app.lines()).filter((line) => line.model === 'local/tiny:1b');
      expect(lines).toMatchObject([
        { provider: 'local', promptTokens: 12, completionTokens: 6, costUsd: '0', usageSource: 'provider' },
      ]);
      expect(await app.reconcile()).toEqual([]);
    });

    it('for the work of the call, under a key of its step', async () => {
      const runner = app.app.get(ToolRunner);
      const work = { taskId: newId(), agent: 'writer' };
      const ctx = contextOf(app.admin, { work, stepKey: 'task.1.tool-1-0' });
      const ask = async (prompt: string) =>
        await runner.run(
          ctx,
          { name: 'ollama', arguments: JSON.stringify({ model: 'tiny:1b', prompt }) },
          ctx.signal,
        );
      for (const prompt of ['one', 'two', 'one']) expect((await ask(prompt)).ok).toBe(true);
      const keys = ollama.calls.slice(-3).map(({ headers }) => headers['idempotency-key']);
      expect(keys[0]).toMatch(/^task\.1\.tool-1-0\.\w+$/);
      expect(keys[2]).toBe(keys[0]);
      expect(keys[1]).not.toBe(keys[0]);
      const rows = await app.database.query('select agent from usage_lines where task_id = $1', [
        work.taskId,
      ]);
      expect(rows).toEqual([{ agent: 'writer' }, { agent: 'writer' }, { agent: 'writer' }]);
    });

    it('for vectors', async () => {
      const args = { action: 'embed', model: 'vectors', prompt: 'a fox' };
      expect(JSON.parse(await resultOf('ollama', args))).toEqual({
        model: 'vectors',
        dimensions: 3,
        vector: [0.25, -0.5, 1],
      });
      const lines = (await app.lines()).filter((line) => line.model === 'local/vectors:latest');
      expect(lines).toMatchObject([{ promptTokens: 3, costUsd: '0' }]);
    });

    it.each(['openai/gpt-4o-mini', 'gpt-4o-mini', 'auto', 'auto:cheap', '../openai/gpt-4o-mini', 'unknown'])(
      'and never another one, such as %s',
      async (model) => {
        const [asked, before] = [(await truth.attempts()).length, ollama.calls.length];
        expect(await resultOf('ollama', { model, prompt: 'x' })).toMatch(/^Error: /);
        expect(await resultOf('ollama', { action: 'embed', model, prompt: 'x' })).toMatch(/^Error: /);
        expect(ollama.calls).toHaveLength(before);
        // Two rounds of each of the two chats that call the tool, and nothing that the tool has asked.
        expect(await truth.attempts()).toHaveLength(asked + 4);
      },
    );

    it('of a key that may use them only', async () => {
      const key = await app.call<{ key: string }>('POST', '/api/v1/keys', {
        body: { name: 'openai only', allowedModels: ['openai/*'] },
        credential: app.admin.accessToken,
      });
      const account = { ...app.admin, key: key.body.key };
      const before = ollama.calls.length;
      expect(await resultOf('ollama', { model: 'tiny:1b', prompt: 'x' }, account)).toMatch(/^Error: /);
      expect(ollama.calls).toHaveLength(before);
    });
  });
});
