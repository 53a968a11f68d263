import { lazyPackage } from '../../../../src/providers/adapters/ai-sdk/lazy-package';

describe(lazyPackage.name, () => {
  it('loads once, when first asked', async () => {
    const load = jest.fn(() => Promise.resolve('loaded'));
    const get = lazyPackage('a-package', load);
    expect(load).not.toHaveBeenCalled();
    expect(await Promise.all([get(), get()])).toEqual(['loaded', 'loaded']);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('says which package is missing, and tries again', async () => {
    const load = jest.fn(() => Promise.resolve('loaded'));
    load.mockRejectedValueOnce(new Error('Cannot find package'));
    const get = lazyPackage('a-package', load);
    await expect(get()).rejects.toMatchObject({
      reason: 'package_missing',
      message: expect.stringContaining('a-package') as string,
    });
    expect(await get()).toBe('loaded');
  });
});
