import { within } from '../../../src/common/index';

describe(within.name, () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('gives what the work gives, or its failure, and leaves no timer', async () => {
    await expect(within(1000, Promise.resolve('done'))).resolves.toBe('done');
    await expect(within(1000, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('waits no longer than its limit', async () => {
    const late = within(1000, new Promise(() => undefined));
    await jest.advanceTimersByTimeAsync(1000);
    await expect(late).resolves.toBeUndefined();
  });
});
