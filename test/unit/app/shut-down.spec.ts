import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { shutDown } from '../../../src/app';
import { loadConfig } from '../../../src/config/index';
import { DurableWorker } from '../../../src/durable/index';
import { AppLogger, BackgroundTasks, OpenRequests } from '../../../src/observability/index';

describe(shutDown.name, () => {
  it('writes what is left of the log, leaves no timer and tells why when closing fails', async () => {
    const logger = { event: jest.fn(), flush: jest.fn() };
    const parts = new Map<unknown, unknown>([
      [AppLogger, logger],
      [OpenRequests, new OpenRequests()],
      [BackgroundTasks, new BackgroundTasks(logger as unknown as AppLogger)],
      [DurableWorker, { drain: () => Promise.resolve() }],
    ]);
    const app = {
      get: (part: unknown) => parts.get(part),
      close: () => Promise.reject(new Error('A part did not close')),
    };
    jest.useFakeTimers();
    const config = loadConfig({ LATTICE_ENV: 'test' });
    const left = shutDown(app as unknown as NestFastifyApplication, config);
    await expect(left).rejects.toThrow('A part did not close');
    expect(logger.flush).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });
});
