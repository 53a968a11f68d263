import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Logger } from '@nestjs/common';
import { newId } from '../../../src/common/index';
import { ProjectFiles } from '../../../src/tools/index';
import { ComfyUiClient, type Polling } from '../../../src/tools/comfyui/comfyui.client';
import { ComfyUi } from '../../../src/tools/comfyui/comfyui.service';
import { ComfyUiTool } from '../../../src/tools/comfyui/comfyui.tool';
import { ToolHttp } from '../../../src/tools/http/tool-http';
import { eventually } from '../../support/eventually';
import { aContext } from '../../support/factories';
import { ComfyUiSimulator, IMAGE } from '../../support/tools/comfyui-simulator';
import { callerOf, type ToolCaller, toolConfig } from '../../support/tools/tool-caller';

const until = async (isSo: () => boolean): Promise<unknown> =>
  await eventually(async () => isSo() || undefined);

const QUICK: Polling = { everyMs: 1, limitMs: 10_000 };

describe(ComfyUiTool.name, () => {
  const projectId = newId();
  const ctx = aContext({ work: { projectId } });
  const closing: (() => Promise<void>)[] = [];
  let simulator: ComfyUiSimulator & { readonly url: string };
  let root: string;

  beforeEach(async () => {
    simulator = await ComfyUiSimulator.start();
    root = mkdtempSync(path.join(tmpdir(), 'lattice-files-'));
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    for (const close of closing.splice(0)) await close();
    await simulator.stop();
    rmSync(root, { recursive: true, force: true });
  });

  function service(env: NodeJS.ProcessEnv = {}, polling = QUICK) {
    const config = toolConfig({ FILES_DIR: root, COMFYUI_URL: simulator.url, ...env });
    const http = new ToolHttp(config);
    const comfyUi = new ComfyUi(config, http);
    if (config.vars.COMFYUI_URL !== undefined) {
      Object.assign(comfyUi, {
        client: new ComfyUiClient(http.toInstalled, config.vars.COMFYUI_URL, polling),
      });
    }
    closing.push(async () => {
      await comfyUi.onApplicationShutdown();
      await http.onApplicationShutdown();
    });
    const tool = (): ComfyUiTool => new ComfyUiTool(comfyUi, new ProjectFiles(config));
    const caller = callerOf(config, 'comfyui', tool);
    const call: ToolCaller = (args, more) => caller(args, { ctx, ...more });
    return { comfyUi, call };
  }

  /** One that is known to be well. */
  async function ready(env: NodeJS.ProcessEnv = {}, polling = QUICK): Promise<ToolCaller> {
    const { comfyUi, call } = service(env, polling);
    await comfyUi.refresh();
    return call;
  }

  it('draws an image and stores it among the project’s files', async () => {
    const call = await ready({ COMFYUI_CHECKPOINT: 'my.safetensors' });
    const { answer } = await call({
      prompt: 'a red fox',
      negativePrompt: 'text',
      width: 512,
      steps: 8,
      seed: 7,
    });
    expect(answer).toEqual({
      file: expect.stringMatching(/^images\/[0-9a-f-]{36}\.png$/),
      bytes: IMAGE.length,
      seed: 7,
    });
    expect(readFileSync(path.join(root, projectId, answer?.file as string)).equals(IMAGE)).toBe(true);
    expect(simulator.prompts[0]?.workflow).toMatchObject({
      '3': { inputs: { seed: 7, steps: 8, positive: ['6', 0] } },
      '4': { inputs: { ckpt_name: 'my.safetensors' } },
      '5': { inputs: { width: 512, height: 1024 } },
      '6': { inputs: { text: 'a red fox' } },
      '7': { inputs: { text: 'text' } },
    });
    expect(simulator.requests.filter((request) => request.startsWith('GET /history'))).toHaveLength(3);
    expect(simulator.interrupts).toEqual([]);
  });

  it('tells the seed that it chose', async () => {
    const { answer } = await (await ready())({ prompt: 'a fox' });
    expect(Number.isSafeInteger(answer?.seed)).toBe(true);
    expect(simulator.prompts[0]?.workflow).toMatchObject({ '3': { inputs: { seed: answer?.seed } } });
  });

  it('fills in a workflow of the caller, and nothing but whole placeholders', async () => {
    const inputs = { text: '{{prompt}}', seed: '{{seed}}', name: 'x {{prompt}}', other: '{{toString}}' };
    const workflow = {
      '1': { class_type: 'CLIPTextEncode', inputs },
      '2': { class_type: 'VAEDecode', inputs: { from: ['1', 0] } },
    };
    await (
      await ready()
    )({ prompt: '{{seed}} "quoted"', seed: 5, workflow });
    expect(simulator.prompts[0]?.workflow).toEqual({
      '1': { class_type: 'CLIPTextEncode', inputs: { ...inputs, text: '{{seed}} "quoted"', seed: 5 } },
      '2': workflow['2'],
    });
  });

  it.each(['LoadImage', 'LoadImageOutput', 'PreviewImage', 'SomebodysNode', ['SaveImage'], undefined])(
    'takes no workflow with a node that may read what was drawn for others: %j',
    async (kind) => {
      const workflow = { '1': { class_type: 'VAEDecode' }, '2': { class_type: kind as string, inputs: {} } };
      const { ok, content } = await (await ready())({ prompt: 'a fox', workflow });
      expect([ok, content]).toEqual([false, expect.stringContaining('The workflow may not have a node')]);
      expect(simulator.prompts).toEqual([]);
    },
  );

  it('has every image kept under a name that nobody can guess', async () => {
    const call = await ready();
    const own = { '1': { class_type: 'SaveImage', inputs: { filename_prefix: 'mine', images: ['2', 0] } } };
    for (const workflow of [undefined, own]) await call({ prompt: 'a fox', ...(workflow && { workflow }) });
    const prefixes = simulator.prompts.map(({ workflow }) => {
      const nodes = Object.values(workflow) as { class_type: string; inputs: { filename_prefix?: string } }[];
      return nodes.find((node) => node.class_type === 'SaveImage')?.inputs.filename_prefix;
    });
    expect(prefixes).toEqual(Array(2).fill(expect.stringMatching(/^lattice-[0-9a-f-]{36}$/)));
    expect(new Set(prefixes).size).toBe(2);
  });

  it('understands versions that give ids of their own', async () => {
    simulator.takesIds = false;
    expect((await (await ready())({ prompt: 'a fox' })).ok).toBe(true);
  });

  it('waits on when a few questions go unanswered', async () => {
    const call = await ready();
    simulator.unansweredPolls = 3;
    expect((await call({ prompt: 'a fox' })).ok).toBe(true);
    simulator.unansweredPolls = 4;
    expect((await call({ prompt: 'a fox' })).content).toBe('Error: ComfyUI answered 502');
  });

  it.each([
    ['fails', 'ComfyUI could not draw it: KSampler CUDA out of memory'],
    ['nothing', 'The workflow keeps no image'],
    ['text', 'ComfyUI gave something that is no image'],
  ] as const)('says why there is no image: %s', async (drawing, reason) => {
    simulator.drawing = drawing;
    const { content } = await (await ready())({ prompt: 'a fox' });
    expect(content).toBe(`Error: ${reason}`);
  });

  it('says what ComfyUI refuses', async () => {
    const call = await ready({ COMFYUI_CHECKPOINT: 'missing.safetensors' });
    const { content } = await call({ prompt: 'a fox' });
    expect(content).toContain('ComfyUI refused the workflow: Prompt outputs failed validation');
    expect(content).toContain('missing.safetensors');
  });

  it('has no room for an image beyond the quota', async () => {
    const { content } = await (await ready({ FILES_QUOTA_BYTES: '100' }))({ prompt: 'a fox' });
    expect(content).toContain('There is no room for it');
  });

  it('gives up on a drawing that takes too long, and stops it', async () => {
    simulator.drawing = 'stuck';
    const call = await ready({}, { everyMs: 1, limitMs: 50 });
    expect((await call({ prompt: 'a fox' })).content).toBe('Error: ComfyUI drew nothing within 50 ms');
    expect(simulator.prompts[0]?.state).toBe('interrupted');
  });

  it('stops its own drawing when it is cancelled', async () => {
    simulator.drawing = 'stuck';
    const call = await ready();
    const controller = new AbortController();
    const drawn = call({ prompt: 'a fox' }, { signal: controller.signal });
    await until(() => (simulator.prompts[0]?.polls ?? 0) > 0);
    controller.abort();
    expect((await drawn).content).toBe('Error: the call was cancelled');
    await until(() => simulator.prompts[0]?.state === 'interrupted');
    expect(simulator.interrupts).toEqual([simulator.prompts[0]?.id]);
  });

  it('takes what waits out of the queue when it is cancelled, and disturbs nobody', async () => {
    simulator.drawing = 'stuck';
    const call = await ready();
    const others = new AbortController();
    const other = call({ prompt: 'a hen' }, { signal: others.signal });
    await until(() => simulator.prompts.length === 1);
    const controller = new AbortController();
    const drawn = call({ prompt: 'a fox' }, { signal: controller.signal });
    await until(() => (simulator.prompts[1]?.polls ?? 0) > 0);
    controller.abort();
    await drawn;
    await until(() => simulator.prompts[1]?.state === 'interrupted');
    expect(simulator.prompts[0]?.state).toBe('running');
    expect(simulator.interrupts).toEqual([]);
    others.abort();
    await other;
    await until(() => simulator.prompts[0]?.state === 'interrupted');
  });

  describe('is available', () => {
    beforeEach(() => jest.spyOn(Logger.prototype, 'warn').mockImplementation());

    it('never without an address', async () => {
      const { comfyUi, call } = service({ COMFYUI_URL: '' });
      comfyUi.onModuleInit();
      await comfyUi.refresh();
      expect((await call({ prompt: 'a fox' })).content).toContain('COMFYUI_URL is not set');
      expect(simulator.requests).toEqual([]);
    });

    it('from the first time it is well until it is not', async () => {
      const { comfyUi, call } = service();
      expect((await call({ prompt: 'a fox' })).content).toContain('does not answer');
      comfyUi.onModuleInit();
      await until(() => comfyUi.unavailableReason === undefined);
      expect((await call({ prompt: 'a fox' })).ok).toBe(true);
      simulator.isWell = false;
      await comfyUi.refresh();
      const { content } = await call({ prompt: 'a fox' });
      expect(content).toContain('does not answer');
      expect(content).not.toContain('127.0.0.1');
      simulator.isWell = true;
      await comfyUi.refresh();
      expect((await call({ prompt: 'a fox' })).ok).toBe(true);
    });
  });

  it.each([
    [{}, 'arguments.prompt is required'],
    [{ prompt: '' }, 'fewer than 1 characters'],
    [{ prompt: 'x', width: 100 }, 'multiple of 8'],
    [{ prompt: 'x', height: 8192 }, '<= 4096'],
    [{ prompt: 'x', steps: 0 }, '>= 1'],
    [{ prompt: 'x', seed: 1.5 }, 'of type integer'],
    [{ prompt: 'x', workflow: [] }, 'of type object'],
    [{ prompt: 'x', workflow: { a: 'y'.repeat(300_000) } }, 'too large'],
  ])('refuses arguments %#', async (args, reason) => {
    expect((await (await ready())(args)).content).toContain(reason);
    expect(simulator.prompts).toEqual([]);
  });
});
