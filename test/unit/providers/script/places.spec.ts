import { NoPlaceError, Places } from '../../../../src/providers/adapters/script/places';

const never = new AbortController().signal;

describe(Places.name, () => {
  it('lets so many in at once and the others in turn', async () => {
    const places = new Places(2, 10_000);
    const [leave] = await Promise.all([places.enter(never), places.enter(never)]);
    const order: number[] = [];
    const third = places.enter(never).then((own) => (order.push(3), own));
    const fourth = places.enter(never).then((own) => (order.push(4), own));
    await Promise.resolve();
    expect(order).toEqual([]);
    leave();
    leave();
    (await third)();
    await fourth;
    expect(order).toEqual([3, 4]);
  });

  it('refuses whoever gave up, waited too long or came too late', async () => {
    jest.useFakeTimers();
    try {
      const places = new Places(1, 1000);
      const leave = await places.enter(never);
      const controller = new AbortController();
      const gone = places.enter(controller.signal);
      controller.abort();
      await expect(gone).rejects.toMatchObject({ refusal: 'aborted' });
      await expect(places.enter(controller.signal)).rejects.toMatchObject({ refusal: 'aborted' });
      const waiting = Array.from({ length: 256 }, () =>
        places.enter(never).catch((error: NoPlaceError) => error.refusal),
      );
      await expect(places.enter(never)).rejects.toMatchObject({ refusal: 'full' });
      jest.advanceTimersByTime(1000);
      expect(new Set(await Promise.all(waiting))).toEqual(new Set(['late']));
      expect(jest.getTimerCount()).toBe(0);
      leave();
      await places.enter(never);
    } finally {
      jest.useRealTimers();
    }
  });
});
