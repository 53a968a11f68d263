import { setImmediate } from 'node:timers/promises';
import { inPieces, sorted } from '../../../src/scoring/capabilities/in-pieces';
import { Random } from '../../support/proof/random';

const PATIENCE_MS = 10_000;

describe(inPieces.name, () => {
  it('lets others have their turn while the work goes on', async () => {
    let hadTurn = false;
    const deadline = performance.now() + PATIENCE_MS;
    function* waiting(): Generator<void, boolean> {
      while (!hadTurn && performance.now() < deadline) yield;
      return hadTurn;
    }
    const found = inPieces(waiting());
    await setImmediate();
    hadTurn = true;
    expect(await found).toBe(true);
  });

  it('fails as the work fails', async () => {
    function* failing(): Generator<void, void> {
      yield;
      throw new Error('no such number');
    }
    await expect(inPieces(failing())).rejects.toThrow('no such number');
  });
});

describe(sorted.name, () => {
  it.each([0, 1, 255, 256, 257, 512, 700, 1_500, 5_000])(
    'sorts %d values as toSorted does, equal ones in their own order',
    async (count) => {
      const random = new Random(count + 1);
      const values = Array.from({ length: count }, (_, place) => ({
        key: Math.floor(random.next() * 50),
        place,
      }));
      const before = [...values];
      const byKey = (one: { key: number }, other: { key: number }) => one.key - other.key;
      expect(await inPieces(sorted(values, byKey))).toEqual(before.toSorted(byKey));
      expect(values).toEqual(before);
    },
  );

  it('yields as it goes', () => {
    const values = Array.from({ length: 5_000 }, (_, place) => -place);
    let yields = 0;
    for (const work = sorted(values, (one, other) => one - other); !work.next().done;) yields += 1;
    expect(yields).toBeGreaterThan(100);
  });
});
