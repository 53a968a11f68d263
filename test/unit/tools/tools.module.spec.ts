import { Test } from '@nestjs/testing';
import { ToolRegistry, ToolRunner, ToolsModule } from '../../../src/tools/index';
import { type AppConfig, ConfigModule, EnvDto } from '../../../src/config/index';
import { Clock, type RequestContext } from '../../../src/common/index';
import { ToolHttp } from '../../../src/tools/http/tool-http';
import { ToolsController } from '../../../src/tools/tools.controller';
import { aContext } from '../../support/factories';

const NOW = Date.UTC(2026, 6, 1, 22, 30, 5);

async function boot() {
  const config = {
    vars: new EnvDto(),
    dataDir: 'data',
    outboundAllowedHosts: [] as string[],
  } as unknown as AppConfig;
  const module = await Test.createTestingModule({ imports: [ConfigModule.forRoot(config), ToolsModule] })
    .overrideProvider(Clock)
    .useValue({ now: () => NOW })
    .compile();
  await module.init();
  return module;
}

const CTX = { signal: new AbortController().signal } as RequestContext;

describe(ToolsModule.name, () => {
  it.each([
    ['{}', '2026-07-01T22:30:05+00:00', 'UTC'],
    ['{"timezone":"Europe/Berlin"}', '2026-07-02T00:30:05+02:00', 'Europe/Berlin'],
    ['{"timezone":"Asia/Kolkata"}', '2026-07-02T04:00:05+05:30', 'Asia/Kolkata'],
  ])('tells the time for %s', async (args, time, timezone) => {
    const runner = (await boot()).get(ToolRunner);
    const { ok, content } = await runner.run(CTX, { name: 'current_time', arguments: args }, CTX.signal);
    expect(ok).toBe(true);
    expect(JSON.parse(content)).toEqual({ time, timezone });
  });

  it('reports a time zone that does not exist', async () => {
    const runner = (await boot()).get(ToolRunner);
    const call = { name: 'current_time', arguments: '{"timezone":"Mars/Base"}' };
    const { ok, content } = await runner.run(CTX, call, CTX.signal);
    expect(ok).toBe(false);
    expect(content).toContain('Mars/Base');
  });

  it('lists tools page by page, with what they are missing', async () => {
    const controller = (await boot()).get(ToolsController);
    const ctx = aContext();
    const first = await controller.list(ctx, { limit: 2 });
    expect(first).toEqual({
      data: [
        {
          name: 'comfyui',
          description: expect.any(String),
          parameters: expect.objectContaining({ type: 'object' }),
          isAvailable: false,
          unavailableReason: 'COMFYUI_URL is not set',
        },
        expect.objectContaining({ name: 'current_time', isAvailable: true, unavailableReason: null }),
      ],
      nextCursor: 'current_time',
    });
    expect(await controller.list(ctx, { limit: 200, cursor: 'current_time' })).toMatchObject({
      data: [
        { name: 'file', isAvailable: true },
        { name: 'http', isAvailable: false, unavailableReason: 'HTTP_TOOL_HOSTS names no host' },
        { name: 'ollama', isAvailable: false, unavailableReason: 'OLLAMA_BASE_URL is not set' },
      ],
      nextCursor: null,
    });
  });

  it('shows one tool, and hides what belongs to somebody else', async () => {
    const module = await boot();
    const controller = module.get(ToolsController);
    const owner = aContext();
    const { userId: ownerId } = owner.principal;
    const parameters = { type: 'object', required: ['a'] };
    const run = () => Promise.resolve(null);
    module.get(ToolRegistry).register({ name: 'mine', description: 'Mine', parameters, ownerId, run });
    expect(await controller.get(owner, 'mine')).toEqual({
      name: 'mine',
      description: 'Mine',
      parameters,
      isAvailable: true,
      unavailableReason: null,
    });
    await expect(controller.get(aContext(), 'mine')).rejects.toThrow('There is no such tool');
    await expect(controller.get(owner, 'toString')).rejects.toThrow('There is no such tool');
  });

  it('closes its connections when the process ends', async () => {
    const module = await boot();
    const { toNamed, toInstalled } = module.get(ToolHttp);
    const closed = [toNamed, toInstalled].map((client) => jest.spyOn(client, 'close'));
    await module.close();
    for (const close of closed) expect(close).toHaveBeenCalled();
  });
});
