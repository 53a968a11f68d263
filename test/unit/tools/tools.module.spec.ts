import { Test } from '@nestjs/testing';
import { ToolRegistry, ToolRunner, ToolsModule } from '../../../src/tools/index';
import { type AppConfig, ConfigModule, EnvDto } from '../../../src/config/index';
import { Clock, type RequestContext } from '../../../src/common/index';
import { ToolsController } from '../../../src/tools/tools.controller';

const NOW = Date.UTC(2026, 6, 1, 22, 30, 5);

async function boot() {
  const config = { vars: new EnvDto() } as AppConfig;
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

  it('lists tools page by page', async () => {
    const module = await boot();
    const registry = module.get(ToolRegistry);
    const controller = module.get(ToolsController);
    const { name, ...rest } = registry.list()[0] ?? { name: '' };
    expect(name).toBe('current_time');
    registry.register({
      description: '',
      parameters: {},
      run: () => Promise.resolve(null),
      ...rest,
      name: 'zoom',
    });
    const first = controller.list({ limit: 1 });
    expect(first).toMatchObject({ data: [{ name: 'current_time' }], nextCursor: 'current_time' });
    expect(first.data[0]).toEqual({
      name: 'current_time',
      description: expect.any(String),
      parameters: expect.objectContaining({ type: 'object' }),
    });
    expect(controller.list({ limit: 1, cursor: 'current_time' })).toMatchObject({
      data: [{ name: 'zoom' }],
      nextCursor: null,
    });
  });
});
